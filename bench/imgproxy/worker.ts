/** One builder in a process of its own. It takes turns with HMAC alone, in short slices, so that noise hits both. */
import { BUILDERS, hmacAlone, pathOf, source } from './builders.ts'

export interface BuilderRequest {
  /** Slices of each of the two. */
  readonly slices: number
}

export interface BuilderResult {
  /** URLs in a second of this process's CPU: other processes do not count. */
  readonly perSecond: number
  readonly hmacPerSecond: number
  /** The first as a part of the second. */
  readonly ofHmac: number
  readonly url: string
}

const SLICE = 2_000
const SOURCES = 1_000

const builder = BUILDERS[process.argv[2]!]!
const build = await builder.create()
const hmac = hmacAlone()
const sources = Array.from({ length: SOURCES }, (_, index) => source(index))
const paths = sources.map((_, index) => pathOf(builder.sources, index))

function microseconds(work: (input: string) => string, inputs: readonly string[]): number {
  let length = 0
  const before = process.cpuUsage()
  for (let index = 0; index < SLICE; index++) length += work(inputs[index % SOURCES]!).length
  const { user, system } = process.cpuUsage(before)
  if (length === 0) throw new Error('nothing was built')
  return user + system
}

function round({ slices }: BuilderRequest): BuilderResult {
  let building = 0
  let signing = 0
  for (let slice = 0; slice < slices; slice++) {
    signing += microseconds(hmac, paths)
    building += microseconds(build, sources)
  }
  const urls = slices * SLICE
  return {
    perSecond: (urls / building) * 1e6,
    hmacPerSecond: (urls / signing) * 1e6,
    ofHmac: signing / building,
    url: build(source(0)),
  }
}

process.on('message', (request: BuilderRequest) => {
  try {
    process.send!({ ok: true, result: round(request) })
  } catch (error) {
    process.send!({ ok: false, message: String(error) })
  }
})
process.on('disconnect', () => process.exit())
process.send!({ ready: true })

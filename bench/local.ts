/** Local files against the bare system calls: what durability costs, and what we add to it. */
import { createWriteStream } from 'node:fs'
import { mkdir, mkdtemp, open, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { local } from '../dist/local.js'
import { type Spread, spread } from './spread.ts'

export interface LocalResult {
  /** Durable puts of 4 KiB a second, one after the other. */
  putPerSecond: { stowage: Spread; bare: Spread }
  /** MiB a second of one stream of unknown length, fsynced at its end. */
  streamMebibytesPerSecond: { stowage: Spread; bare: Spread }
}

const MIB = 2 ** 20
const CHUNK = new Uint8Array(65_536).fill(7)

async function* chunks(size: number): AsyncGenerator<Uint8Array> {
  for (let sent = 0; sent < size; sent += CHUNK.length) yield CHUNK
}

/** What `fs` and `http` hand over: the same stream for both. */
function source(size: number): Readable {
  return Readable.from(chunks(size), { objectMode: false })
}

/** What a careful program does by hand: write beside, sync, rename, sync the folder. */
async function barePut(root: string, name: string, bytes: Uint8Array): Promise<void> {
  const temporary = join(root, `.${name}.tmp`)
  const file = await open(temporary, 'w')
  await file.writeFile(bytes)
  await file.sync()
  await file.close()
  await rename(temporary, join(root, name))
  const folder = await open(root)
  await folder.sync()
  await folder.close()
}

async function bareStream(root: string, name: string, size: number): Promise<void> {
  const path = join(root, name)
  await pipeline(source(size), createWriteStream(path, { flush: true }))
}

export async function benchLocal(rounds: number, puts: number, streamBytes: number): Promise<LocalResult> {
  const root = await mkdtemp(join(tmpdir(), 'stowage-bench-'))
  const files = local({ root: join(root, 'ours') })
  const bare = join(root, 'bare')
  await mkdir(bare)
  const bytes = new Uint8Array(4096).fill(1)
  const rate = async (count: number, work: (index: number) => Promise<unknown>): Promise<number> => {
    const start = performance.now()
    for (let i = 0; i < count; i++) await work(i)
    return (count * 1000) / (performance.now() - start)
  }
  const samples: Record<'put' | 'barePut' | 'stream' | 'bareStream', number[]> = {
    put: [],
    barePut: [],
    stream: [],
    bareStream: [],
  }
  try {
    for (let round = -1; round < rounds; round++) {
      const run = {
        put: await rate(puts, i =>
          files.upload(`put/${i}`, bytes, { contentType: 'application/octet-stream' }),
        ),
        barePut: await rate(puts, i => barePut(bare, `put-${i}`, bytes)),
        stream: await rate(1, () =>
          files.upload('stream', source(streamBytes), { contentType: 'application/octet-stream' }),
        ),
        bareStream: await rate(1, () => bareStream(bare, 'stream', streamBytes)),
      }
      if (round >= 0)
        for (const name of Object.keys(run) as (keyof typeof run)[]) samples[name].push(run[name])
    }
  } finally {
    await files.close()
    await rm(root, { recursive: true, force: true })
  }
  const mebibytes = (rates: number[]) => spread(rates.map(value => (value * streamBytes) / MIB))
  return {
    putPerSecond: { stowage: spread(samples.put), bare: spread(samples.barePut) },
    streamMebibytesPerSecond: { stowage: mebibytes(samples.stream), bare: mebibytes(samples.bareStream) },
  }
}

/**
 * `npm run bench:records`: what records cost, on every engine that is there. Prints tables and writes
 * bench/results/records.json and records.svg.
 *
 * `--quick` does a little of everything and writes nothing: it tries the bench itself. `--only=sqlite,rqlite` runs
 * some of `sqlite`, `rqlite`, `postgres`, `store`, and writes nothing either.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { findOrInstallTool } from '../../test/support/install-tool.ts'
import { startMinio } from '../../test/support/minio.ts'
import { missingTool } from '../../test/support/tools.ts'
import { chart } from '../chart.ts'
import { clientConfig, type Target } from '../contenders/contender.ts'
import { spread } from '../spread.ts'
import { benchCalls } from './calls.ts'
import { benchPostgres } from './postgres.ts'
import { benchRqlite } from './rqlite.ts'
import { print, printBars, type Scale, type Section, show } from './section.ts'
import { benchSqlite } from './sqlite.ts'
import { findSqliteLibraries } from './sqlite-library.ts'
import { benchUploads } from './uploads.ts'

const quick = process.argv.includes('--quick')
const only = process.argv.find(argument => argument.startsWith('--only='))?.slice('--only='.length)
const SCALE: Scale = quick ? { rounds: 1, seconds: 0.05, quick } : { rounds: 7, seconds: 1, quick }
const NO_MEANING = '--quick: these numbers mean nothing; they only show that the bench runs.'

type Part = () => Promise<Section[] | { missing: string }>

async function main(): Promise<void> {
  // On Node 20 the SDK warns in every process that it will leave it.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true'
  const folder = mkdtempSync(join(tmpdir(), 'stowage-bench-records-'))
  const path = (name: string) => join(folder, `${name}.db`)
  const { found, missing } = await findSqliteLibraries()
  const library = found[0]!
  const parts: Record<string, Part> = {
    sqlite: () => benchSqlite(found, folder, SCALE),
    rqlite: () => benchRqlite(library, folder, SCALE),
    postgres: () => benchPostgres(SCALE),
    store: () =>
      withMinio(async target => [
        ...(await benchCalls(target, library, path, SCALE)),
        await benchUploads(target, library, path, SCALE),
      ]),
  }
  const unknown = only?.split(',').filter(name => parts[name] === undefined)
  if (unknown?.length) throw new Error(`--only knows ${Object.keys(parts).join(', ')}, not ${unknown}`)
  try {
    if (quick) console.log(NO_MEANING)
    const machine = {
      node: process.version,
      cpu: cpus()[0]?.model,
      cores: cpus().length,
      syncsPerSecond: syncsPerSecond(folder),
      rounds: SCALE.rounds,
      secondsEach: SCALE.seconds,
    }
    console.log(
      `Node ${machine.node}, ${machine.cores} cores; ${show(machine.syncsPerSecond)} writes of 4 KiB with fdatasync a second in ${tmpdir()}. ` +
        `${SCALE.rounds} rounds of ${SCALE.seconds} s after 2 to warm up: medians, lowest and highest in brackets; ratios round by round.`,
    )
    const sections: Section[] = []
    const absent = [...missing]
    for (const [name, run] of Object.entries(parts)) {
      if (only !== undefined && !only.split(',').includes(name)) continue
      const result = await run()
      if ('missing' in result) absent.push(`${name}: ${result.missing}`)
      else {
        sections.push(...result)
        for (const section of result) print(section)
      }
    }
    console.log('\nWhat it must reach')
    printBars(sections.flatMap(({ bars }) => bars.filter(({ need }) => need !== undefined)))
    for (const sentence of absent) console.log(`Not measured: ${sentence}`)
    if (quick) console.log(NO_MEANING)
    else if (only === undefined) await write({ machine, absent, sections })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function withMinio(run: (target: Target) => Promise<Section[]>): ReturnType<Part> {
  const minio = await findOrInstallTool('minio', console.error)
  if (minio === undefined) return { missing: missingTool('minio') }
  const server = await startMinio(minio)
  try {
    const target: Target = { ...server, bucket: 'bench' }
    const client = new S3Client(clientConfig(target))
    await client.send(new CreateBucketCommand({ Bucket: target.bucket }))
    client.destroy()
    return await run(target)
  } finally {
    await server.stop()
  }
}

/** What the disk under all of it does: durable inserts are bounded by it. */
function syncsPerSecond(folder: string) {
  const file = openSync(join(folder, 'syncs'), 'w')
  const block = new Uint8Array(4096).fill(1)
  const rounds = Array.from({ length: 5 }, () => {
    const [count, start] = [quick ? 10 : 100, performance.now()]
    for (let at = 0; at < count; at++) {
      writeSync(file, block)
      fdatasyncSync(file)
    }
    return (count * 1000) / (performance.now() - start)
  })
  closeSync(file)
  return spread(rounds)
}

async function write(results: { machine: object; absent: string[]; sections: Section[] }): Promise<void> {
  const groups = results.sections
    .map(({ title, rates = [] }) => ({
      title,
      note: 'operations a second, more is better',
      bars: rates
        .filter(({ failure }) => failure === undefined)
        .map(({ contender, perSecond }) => ({
          label: contender,
          value: perSecond!.median,
          text: `${show(perSecond!)} /s`,
        })),
    }))
    .filter(({ bars }) => bars.length > 0)
  const folder = new URL('../results/', import.meta.url)
  await mkdir(folder, { recursive: true })
  await writeFile(new URL('records.json', folder), `${JSON.stringify(results, null, 1)}\n`)
  const caption = `Medians of ${SCALE.rounds} rounds, lowest and highest in brackets; Node ${process.version}, ${cpus().length} cores.`
  await writeFile(new URL('records.svg', folder), chart(groups, caption, { labelWidth: 250 }))
  console.log('\nWritten: bench/results/records.json and records.svg')
}

await main()

/**
 * `npm run bench:records`: what records cost, on every engine that is there. Prints tables and writes
 * bench/results/records.json and records.svg.
 *
 * `--quick` does a little of everything and writes nothing: it tries the bench itself. `--only=sqlite,rqlite` runs
 * some of `sqlite`, `rqlite`, `postgres`, `store`, and writes nothing either.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { findOrInstallTool } from '../../test/support/install-tool.ts'
import { startMinio } from '../../test/support/minio.ts'
import { missingTool } from '../../test/support/tools.ts'
import { clientConfig, type Target } from '../contenders/contender.ts'
import { isQuick, type Part, runParts } from '../run-parts.ts'
import { type Scale, type Section, show } from '../section.ts'
import { spread } from '../spread.ts'
import { benchCalls } from './calls.ts'
import { benchPostgres } from './postgres.ts'
import { benchRqlite } from './rqlite.ts'
import { benchSqlite } from './sqlite.ts'
import { findSqliteLibraries } from './sqlite-library.ts'
import { benchUploads } from './uploads.ts'

const SCALE: Scale = { rounds: isQuick ? 1 : 7, seconds: isQuick ? 0.05 : 1, quick: isQuick }

async function main(): Promise<void> {
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
  try {
    const syncs = syncsPerSecond(folder)
    await runParts({
      name: 'records',
      parts,
      scale: SCALE,
      machine: { syncsPerSecond: syncs },
      about: `; ${show(syncs)} writes of 4 KiB with fdatasync a second in ${tmpdir()}`,
      missing,
    })
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
    const [count, start] = [isQuick ? 10 : 100, performance.now()]
    for (let at = 0; at < count; at++) {
      writeSync(file, block)
      fdatasyncSync(file)
    }
    return (count * 1000) / (performance.now() - start)
  })
  closeSync(file)
  return spread(rounds)
}

await main()

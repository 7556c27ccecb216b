/**
 * `npm run bench`: ours against the peers in one run. Prints tables and writes bench/results/results.json and
 * results.svg. `--quick` does a tenth of the work and writes nothing: it tries the bench itself.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { findOrInstallTool } from '../test/support/install-tool.ts'
import { startMinio } from '../test/support/minio.ts'
import { missingTool } from '../test/support/tools.ts'
import { type BarGroup, chart } from './chart.ts'
import { create as createSdk } from './contenders/aws-sdk.ts'
import { clientConfig, type Target } from './contenders/contender.ts'
import { type ContestResult, contest } from './contest.ts'
import { benchLocal } from './local.ts'
import type { Spread } from './spread.ts'
import { benchWeight } from './weight.ts'

const quick = process.argv.includes('--quick')
const ROUNDS = quick ? 1 : 3
const SCALE = quick ? 0.1 : 1
const KIB = 2 ** 10
const MIB = 2 ** 20
const STREAM_BYTES = quick ? 32 * MIB : 256 * MIB

const CLIENTS = ['stowage', 'aws-sdk', 'files-sdk', 'flydrive', 'flystorage', 'opendal']
/** flydrive refuses a stream of unknown length on S3. */
const STREAMERS = ['stowage', 'aws-sdk', 'files-sdk', 'flystorage', 'opendal']

async function main(): Promise<void> {
  const minio = await findOrInstallTool('minio', console.error)
  if (minio === undefined) throw new Error(missingTool('minio'))
  const server = await startMinio(minio)
  try {
    // First, before this process has held a large body of its own.
    const local = await benchLocal(quick ? 1 : 5, Math.round(300 * SCALE), STREAM_BYTES)
    const target: Target = { ...server, bucket: 'bench' }
    await seed(target)
    const many = (work: 'get' | 'put', count: number) =>
      ({ work, count: Math.round(count * SCALE), concurrency: 32, size: 4 * KIB }) as const
    const one = (work: 'put-stream' | 'get-stream') =>
      ({ work, count: 1, concurrency: 1, size: STREAM_BYTES }) as const
    const objects = {
      get: await say(
        'GET 4 KiB as bytes, 32 at once',
        contest(CLIENTS, target, many('get', 4000), ROUNDS),
        smallObject,
      ),
      put: await say(
        'PUT 4 KiB, 32 at once',
        contest(CLIENTS, target, many('put', 1500), ROUNDS),
        smallObject,
      ),
      sign: await say(
        'Presigned GET',
        contest(
          [...CLIENTS, 'presigner'],
          target,
          { work: 'sign', count: 5_000 * SCALE, concurrency: 1, size: 0 },
          ROUNDS,
        ),
        smallObject,
      ),
      upload: await say(
        `Upload of ${STREAM_BYTES / MIB} MiB of unknown length`,
        contest(STREAMERS, target, one('put-stream'), ROUNDS),
        stream,
      ),
      download: await say(
        `Download of ${STREAM_BYTES / MIB} MiB as a stream`,
        contest(CLIENTS, target, one('get-stream'), ROUNDS),
        stream,
      ),
    }
    console.log('\nLocal files')
    console.table({
      'put 4 KiB durable, a second': {
        stowage: show(local.putPerSecond.stowage),
        bare: show(local.putPerSecond.bare),
        ratio: ratio(local.putPerSecond.stowage, local.putPerSecond.bare),
      },
      'stream + fsync, MiB/s': {
        stowage: show(local.streamMebibytesPerSecond.stowage),
        bare: show(local.streamMebibytesPerSecond.bare),
        ratio: ratio(local.streamMebibytesPerSecond.stowage, local.streamMebibytesPerSecond.bare),
      },
    })
    const weight = await benchWeight(quick ? 3 : 15)
    console.log('\nWeight')
    console.table({
      'core entry, KB gzip': {
        stowage: weight.coreGzipKilobytes.stowage.toFixed(1),
        'files-sdk': weight.coreGzipKilobytes['files-sdk'].toFixed(1),
      },
      'cold import, ms above empty': {
        stowage: show(weight.coldImportMs.stowage),
        'files-sdk': show(weight.coldImportMs['files-sdk']),
      },
      'bare install, MB': {
        stowage: weight.install.stowage.megabytes.toFixed(2),
        'files-sdk': weight.install['files-sdk'].megabytes.toFixed(2),
      },
      'bare install, packages': {
        stowage: weight.install.stowage.packages,
        'files-sdk': weight.install['files-sdk'].packages,
      },
    })
    const machine = {
      node: process.version,
      cpu: cpus()[0]?.model,
      cores: cpus().length,
      server: 'MinIO on loopback',
      rounds: ROUNDS,
    }
    if (!quick) await write({ machine, objects, local, weight })
  } finally {
    await server.stop()
  }
}

async function seed(target: Target): Promise<void> {
  const client = new S3Client(clientConfig(target))
  await client.send(new CreateBucketCommand({ Bucket: target.bucket }))
  client.destroy()
  const sdk = await createSdk(target)
  for (let i = 0; i < 64; i++) await sdk.put(`seed/${4 * KIB}/${i}`, new Uint8Array(4 * KIB).fill(i))
  await sdk.put(`seed/${STREAM_BYTES}/0`, Buffer.alloc(STREAM_BYTES, 7))
  await sdk.close?.()
}

type Columns = (result: ContestResult, all: readonly ContestResult[]) => Record<string, string>

const smallObject: Columns = (result, all) => {
  const sdk = all.find(other => other.contender === 'aws-sdk')!
  return {
    'a second': show(result.perSecond!),
    '× SDK': ratio(result.perSecond!, sdk.perSecond!),
    'CPU µs/op': show(result.cpuMicros!),
    'CPU ÷ SDK': ratio(result.cpuMicros!, sdk.cpuMicros!),
  }
}

const stream: Columns = (result, all) => ({
  'MiB/s': show(result.mebibytesPerSecond!),
  '× SDK': ratio(
    result.mebibytesPerSecond!,
    all.find(other => other.contender === 'aws-sdk')!.mebibytesPerSecond!,
  ),
  'CPU ms': (result.cpuMicros!.median / 1000).toFixed(0),
  'peak MiB above idle': show(result.peakMebibytes!),
})

async function say(
  title: string,
  contested: Promise<ContestResult[]>,
  columns: Columns,
): Promise<ContestResult[]> {
  const results = await contested
  const ours = results.find(result => result.contender === 'stowage')
  if (ours?.failure !== undefined) throw new Error(`${title}: stowage failed: ${ours.failure}`)
  console.log(`\n${title}`)
  console.table(
    Object.fromEntries(
      results.map(result => [
        result.contender,
        result.failure ? { failed: result.failure } : columns(result, results),
      ]),
    ),
  )
  return results
}

/** Median, and in brackets the lowest and highest round. */
function show({ median, low, high }: Spread): string {
  const digits = median < 10 ? 2 : median < 100 ? 1 : 0
  return `${median.toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`
}

function ratio(ours: Spread, other: Spread): string {
  return (ours.median / other.median).toFixed(2)
}

async function write(results: {
  objects: Record<string, ContestResult[]>
  [name: string]: unknown
}): Promise<void> {
  const bars = (
    group: ContestResult[],
    field: 'perSecond' | 'cpuMicros' | 'mebibytesPerSecond' | 'peakMebibytes',
    unit: string,
  ) =>
    group
      .filter(result => result.failure === undefined)
      .map(result => ({
        label: result.contender,
        value: result[field]!.median,
        text: `${show(result[field]!)} ${unit}`,
      }))
  const { get, put, sign, upload, download } = results.objects as Record<string, ContestResult[]>
  const groups: BarGroup[] = [
    {
      title: 'GET 4 KiB, 32 at once: CPU per operation',
      note: 'less is better',
      bars: bars(get!, 'cpuMicros', 'µs'),
    },
    { title: 'GET 4 KiB, 32 at once: rate', note: 'more is better', bars: bars(get!, 'perSecond', '/s') },
    {
      title: 'PUT 4 KiB, 32 at once: CPU per operation',
      note: 'less is better',
      bars: bars(put!, 'cpuMicros', 'µs'),
    },
    { title: 'Presigned GET: rate', note: 'more is better', bars: bars(sign!, 'perSecond', '/s') },
    {
      title: 'Upload of a long stream: rate',
      note: 'more is better',
      bars: bars(upload!, 'mebibytesPerSecond', 'MiB/s'),
    },
    {
      title: 'Upload of a long stream: memory above idle',
      note: 'less is better',
      bars: bars(upload!, 'peakMebibytes', 'MiB'),
    },
    {
      title: 'Download of a long stream: rate',
      note: 'more is better',
      bars: bars(download!, 'mebibytesPerSecond', 'MiB/s'),
    },
  ]
  const folder = new URL('./results/', import.meta.url)
  await mkdir(folder, { recursive: true })
  await writeFile(new URL('results.json', folder), `${JSON.stringify(results, null, 1)}\n`)
  await writeFile(
    new URL('results.svg', folder),
    chart(
      groups,
      `Medians of ${ROUNDS} rounds, lowest and highest in brackets; Node ${process.version}, MinIO on loopback, 2 cores.`,
    ),
  )
  console.log('\nWritten: bench/results/results.json and results.svg')
}

await main()

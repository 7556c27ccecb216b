/** rclone as a contender: its remotes by the environment, its flags, and the grid that its best is looked for in. */
import { execFileSync } from 'node:child_process'
import type { Place } from './bucket-pair.ts'

export function rcloneVersion(rclone: string): string {
  return execFileSync(rclone, ['version'], { encoding: 'utf8' })
    .split('\n')[0]!
    .replace(/^rclone /, '')
}

export function rcloneEnvironment(from: Place, to: Place): Record<string, string> {
  return { RCLONE_CONFIG: '/dev/null', ...remote('A', from), ...remote('B', to) }
}

function remote(name: string, place: Place): Record<string, string> {
  const settings = {
    type: 's3',
    provider: 'Minio',
    endpoint: place.endpoint,
    region: place.region,
    access_key_id: place.accessKeyId,
    secret_access_key: place.secretAccessKey,
    force_path_style: 'true',
  }
  return Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [`RCLONE_CONFIG_${name}_${key.toUpperCase()}`, value]),
  )
}

export function rcloneArguments(
  command: 'copy' | 'sync',
  from: Place,
  to: Place,
  flags: readonly string[],
): string[] {
  return [command, `A:${from.bucket}`, `B:${to.bucket}`, '--log-level', 'ERROR', ...flags]
}

/** What users are told to set for many small objects: how much at once, and which requests to leave out. */
const OMISSIONS: readonly (readonly string[])[] = [
  [],
  ['--s3-no-head', '--s3-no-check-bucket'],
  ['--s3-no-head', '--s3-no-check-bucket', '--use-server-modtime', '--no-check-dest'],
  [
    '--s3-no-head',
    '--s3-no-head-object',
    '--s3-no-check-bucket',
    '--use-server-modtime',
    '--no-check-dest',
    '--fast-list',
    '--buffer-size=0',
  ],
]
const AT_ONCE = [32, 64, 128]

export function smallGrid(quick: boolean): string[][] {
  return (quick ? [64] : AT_ONCE).flatMap(count =>
    OMISSIONS.map(flags => [`--transfers=${count}`, `--checkers=${count}`, ...flags]),
  )
}

export function largeGrid(quick: boolean): string[][] {
  const grid: string[][] = []
  for (const transfers of quick ? [4] : [2, 4, 8])
    for (const more of [
      [],
      ['--s3-upload-concurrency=8', '--s3-chunk-size=16Mi'],
      ['--multi-thread-streams=0', '--s3-upload-cutoff=1Gi'],
    ])
      grid.push([`--transfers=${transfers}`, '--s3-no-head', '--s3-no-check-bucket', ...more])
  return grid
}

/** One copy of a filled bucket into a new one, by either program. */
import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { empty, held, newPlace, type Place } from './bucket-pair.ts'
import { type Measured, measured } from './measured-command.ts'
import { rcloneArguments, rcloneEnvironment } from './rclone.ts'
import type { TwoStores } from './two-stores.ts'

export const OURS = 'stowage, untuned'
export const VERIFIED = 'stowage, untuned, planned again and verified'
export const DEFAULTS = 'rclone, defaults'

export interface Course {
  readonly stores: TwoStores
  readonly rclone: string
  /** For databases. */
  readonly folder: string
  /** The filled bucket, by its own address. */
  readonly source: Place
  readonly objects: number
  readonly bytes: number
  /** Addresses that the contenders use. */
  readonly endpoints: { readonly from: string; readonly to: string }
}

/** `copy` plans and copies, as rclone copy does; `whole` plans again and verifies, too. */
export type Extent = 'copy' | 'whole'

export function copyByStowage(course: Course, extent: Extent): Promise<Measured> {
  return copied(course, (from, to) => migrateOnce(course.folder, from, to, extent))
}

export function copyByRclone(course: Course, flags: readonly string[]): Promise<Measured> {
  return copied(course, (from, to) =>
    measured(course.rclone, rcloneArguments('copy', from, to, flags), rcloneEnvironment(from, to)),
  )
}

export async function migrateOnce(
  folder: string,
  from: Place,
  to: Place,
  extent: Extent,
  database = join(folder, `${randomUUID()}.db`),
): Promise<Measured> {
  const program = fileURLToPath(new URL('./migrate-once.js', import.meta.url))
  const args = [program, JSON.stringify(from), JSON.stringify(to), database, extent]
  return measured(process.execPath, args, {
    NODE_NO_WARNINGS: '1',
    BENCH_COMPILED: join(folder, 'compiled'),
  })
}

async function copied(
  { stores, source, objects, bytes, endpoints }: Course,
  copy: (from: Place, to: Place) => Promise<Measured>,
): Promise<Measured> {
  const destination = await newPlace(stores.to)
  try {
    const result = await copy(
      { ...source, endpoint: endpoints.from },
      { ...destination, endpoint: endpoints.to },
    )
    const got = await held(destination)
    if (got.objects !== objects || got.bytes !== objects * bytes)
      throw new Error(`${got.objects} objects and ${got.bytes} bytes arrived, not ${objects} of ${bytes}`)
    return result
  } finally {
    await empty(destination)
  }
}

/** The flags under which rclone is fastest, one try each. */
export async function bestFlags(course: Course, grid: readonly (readonly string[])[]) {
  let best: { flags: readonly string[]; seconds: number } | undefined
  for (const flags of grid) {
    const { seconds } = await copyByRclone(course, flags)
    if (best === undefined || seconds < best.seconds) best = { flags, seconds }
  }
  return best!.flags
}

export function removeDatabases(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
}

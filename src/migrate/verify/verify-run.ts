import { compareKeys } from '../../core/keys.ts'
import type { Manifest } from '../manifest.ts'
import type { VerifyLevel } from '../migrate-options.ts'

/** How far a verification of the whole has come: a setting of the manifest, so that one that was killed goes on. */
export interface VerifyRun {
  readonly level: VerifyLevel
  /** Milliseconds since 1970. */
  readonly startedAt: number
  /** When it was last written. */
  readonly at: number
  /** All rows up to this source key have been looked at. */
  readonly through?: string
  readonly endedAt?: number
}

/** What was looked at before is not believed for longer. */
const GOES_ON_MS = 86_400_000

/** The one that was killed and that goes on, or a new one. */
export async function beginVerifyRun(
  manifest: Manifest,
  level: VerifyLevel,
  now: () => number,
): Promise<VerifyRun> {
  const last = await lastVerifyRun(manifest)
  const at = now()
  if (last !== undefined && last.endedAt === undefined && last.level === level && at - last.at < GOES_ON_MS)
    return last
  const run = { level, startedAt: at, at }
  await writeVerifyRun(manifest, run)
  return run
}

export function writeVerifyRun(manifest: Manifest, run: VerifyRun): Promise<void> {
  return manifest.setSetting('verification', JSON.stringify(run))
}

export async function lastVerifyRun(manifest: Manifest): Promise<VerifyRun | undefined> {
  const text = await manifest.setting('verification')
  return text === undefined ? undefined : JSON.parse(text)
}

/** Whether a row was looked at before this process began. */
export function isBehind({ through }: VerifyRun, sourceKey: string): boolean {
  return through !== undefined && compareKeys(sourceKey, through) <= 0
}

import { type Command, InvalidArgumentError, Option } from 'commander'
import type { ExistingObjects, MigrationLimits, VerifyLevel } from '../../../migrate/index.ts'
import { byteCount, count } from '../../argument-values.ts'

/** How a run goes about it. Not remembered: they are of this run. */
export interface LimitOptions {
  readonly concurrency?: number
  /** Requests a second. */
  readonly rate?: number
  /** Bytes a second. */
  readonly bandwidth?: number
  readonly attempts?: number
}

export function withLimitOptions(command: Command): Command {
  return command
    .option('--concurrency <n>', 'objects at once (default: found out)', positive)
    .option('--rate <n>', 'requests a second to both stores together, at most', positive)
    .option('--bandwidth <size>', 'bytes a second, at most, such as 20MB', bandwidth)
    .option('--attempts <n>', 'tries of an object in one run (default: 5)', positive)
}

export function limitsOf({ concurrency, rate, bandwidth, attempts }: LimitOptions): MigrationLimits {
  return {
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(rate === undefined ? {} : { requestsPerSecond: rate }),
    ...(bandwidth === undefined ? {} : { bytesPerSecond: bandwidth }),
    ...(attempts === undefined ? {} : { attempts }),
  }
}

export interface LevelOption {
  readonly level?: VerifyLevel
}

export function withLevelOption(command: Command): Command {
  return command.addOption(
    new Option('--level <level>', 'how thoroughly to verify (default: checksum)').choices([
      'attributes',
      'checksum',
      'content',
    ]),
  )
}

export interface ExistingOption {
  readonly existing?: ExistingObjects
}

export function withExistingOption(command: Command): Command {
  return command.addOption(
    new Option(
      '--existing <policy>',
      "where another object is in one's place: take it where it has the same bytes, replace it, or never touch it (default: compare)",
    ).choices(['compare', 'overwrite', 'refuse']),
  )
}

function bandwidth(text: string): number {
  const bytes = byteCount(text)
  if (bytes === 0) throw new InvalidArgumentError('Use more than 0, such as 500k, 10MB or 1GiB.')
  return bytes
}

function positive(text: string): number {
  const number = count(text)
  if (number === 0) throw new InvalidArgumentError('Use a whole number above 0.')
  return number
}

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { StorageError } from '../../../core/errors.ts'
import type { StorageProvider } from '../../../core/provider.ts'
import { forward } from '../../../decorators/forward.ts'
import { retry } from '../../../decorators/retry.ts'
import type { Manifest, MigrateOptions } from '../../../migrate/index.ts'
import { hasBegun } from '../../../migrate/plan/stored-settings.ts'
import { parseStoreUrl } from '../../../open/store-url.ts'
import { open } from '../../../open.ts'
import { UsageError } from '../../exit-codes.ts'
import type { Session } from '../../session.ts'
import { type ExistingOption, type LevelOption, type LimitOptions, limitsOf } from './limit-options.ts'
import { migrateRules } from './migrate-rules.ts'
import {
  isNewManifest,
  type ManifestOptions,
  manifestEngine,
  openManifest,
  type StoredCommand,
  storeCommand,
} from './open-manifest.ts'
import { differingRules, type RuleOptions, rulesIn } from './rule-options.ts'

export interface MigrationOptions
  extends ManifestOptions,
    RuleOptions,
    LimitOptions,
    LevelOption,
    ExistingOption {}

export interface OpenedMigration {
  readonly manifest: Manifest
  /** URLs, as they were typed. */
  readonly from: string
  readonly to: string
  /** For `migrate()`. What it names is closed when the command ends. */
  readonly options: MigrateOptions
}

/**
 * Opens manifest and stores. What is not given is as an earlier command said; what is given must be the same, but for limits,
 * level and `existing`, which are of one run.
 */
export async function openMigration(
  session: Session,
  given: { from: string | undefined; to: string | undefined },
  options: MigrationOptions,
): Promise<OpenedMigration> {
  if (given.from !== undefined && given.to === undefined)
    throw new UsageError('name both stores: <from> <to>')
  // What can be refused without the manifest leaves no new database behind.
  const early = isNewManifest(session, options)
    ? await openParts(session, commandOf(given, options, undefined, true), true)
    : undefined
  const engine = await manifestEngine(session, options)
  if (early !== undefined) {
    const { migrate } = await import('../../../migrate/index.ts')
    migrate({ ...early, manifest: engine })
  }
  const { manifest, command: stored } = await openManifest(engine, options)
  const isFree = stored === undefined || !(await hasBegun(manifest))
  const command = commandOf(given, options, stored, isFree)
  const { from, to, existing } = command
  const made: MigrateOptions = {
    ...(early !== undefined && stored === undefined ? early : await openParts(session, command, isFree)),
    manifest: engine,
    name: manifest.name,
    ...(existing === undefined ? {} : { existing }),
    ...(options.level === undefined ? {} : { verify: options.level }),
    limits: limitsOf(options),
    signal: session.signal,
  }
  // Only what could be opened is worth remembering.
  if (JSON.stringify(command) !== JSON.stringify(stored)) await storeCommand(manifest, command)
  return { manifest, from, to, options: made }
}

/** Stores and rules: what a command line names besides the manifest. */
async function openParts(
  session: Session,
  { from, to, rules }: StoredCommand,
  isFree: boolean,
): Promise<Pick<MigrateOptions, 'from' | 'to'> & Partial<MigrateOptions>> {
  const parsed = await migrateRules(rules)
  // A migration that has begun says by itself what is no longer there, and that it began with another folder.
  if (isFree) assertFolderThere(from)
  return {
    ...parsed,
    from: await openSide(session, from, rules.recordsFrom, rules.tenantFrom, false),
    to: await openSide(session, to, rules.recordsTo, rules.tenantTo, true),
  }
}

/** A folder that is not there lists nothing. As a destination it is made; as a source its name was mistyped. */
function assertFolderThere(url: string): void {
  const { kind, name } = parseStoreUrl(url)
  if (kind !== 'file' || existsSync(name)) return
  throw new StorageError('not-found', `the source is not there: there is no folder ${resolve(name)}`, {
    operation: 'migrate',
    retryable: false,
  })
}

/** Before anything was copied a migration may still be made another one. */
function commandOf(
  given: { from: string | undefined; to: string | undefined },
  options: MigrationOptions,
  stored: StoredCommand | undefined,
  isFree: boolean,
): StoredCommand {
  const { from = stored?.from, to = stored?.to } = given
  if (from === undefined || to === undefined) throw unnamed()
  const rules = rulesIn(options)
  const { existing = stored?.existing } = options
  const kept = existing === undefined ? {} : { existing }
  const isSamePlace = from === stored?.from && to === stored.to
  if (stored === undefined || (isFree && !isSamePlace)) return { from, to, rules, ...kept }
  const another = 'or give the other migration a --name of its own'
  if (!isSamePlace)
    throw new UsageError(
      `this migration is from ${stored.from} to ${stored.to}; leave the stores out, ${another}`,
    )
  if (Object.keys(rules).length === 0) return { ...stored, ...kept }
  const differing = differingRules(rules, stored.rules)
  if (differing.length > 0 && !isFree)
    throw new UsageError(
      `this migration was begun with other rules (${differing.join(', ')}); leave them out to go on with it, ${another}`,
    )
  return { from, to, rules, ...kept }
}

function unnamed(): UsageError {
  return new UsageError('name the stores: stowage migrate run <from> <to>; later commands remember them')
}

async function openSide(
  session: Session,
  url: string,
  records: string | undefined,
  tenant: string | undefined,
  mayMake: boolean,
): Promise<StorageProvider> {
  if (records !== undefined)
    return session.openRecords(url, { records, mayMake, ...(tenant === undefined ? {} : { tenant }) })
  const store = session.closing(await open(url, { env: session.terminal.env }))
  // The migration repeats what failed by itself, and must see that a store is busy. Only a list can't be begun again by it.
  const retried = retry(store)
  return forward(store, { list: options => retried.list(options) })
}

import type { Command } from 'commander'
import type { ExistingObjects, Manifest } from '../../../migrate/index.ts'
import { openEngine } from '../../../open.ts'
import type { Engine } from '../../../sql/engine.ts'
import { databaseFile, isNewDatabase } from '../../database-file.ts'
import { UsageError } from '../../exit-codes.ts'
import type { Session } from '../../session.ts'
import type { RuleOptions } from './rule-options.ts'

export interface ManifestOptions {
  readonly manifest?: string
  readonly name?: string
}

/** What the first command of a migration was told, so that later ones need not be. URLs hold no secrets. */
export interface StoredCommand {
  readonly from: string
  readonly to: string
  readonly rules: RuleOptions
  readonly existing?: ExistingObjects
}

export interface OpenedManifest {
  readonly engine: Engine
  readonly manifest: Manifest
  /** Absent where nothing was stored yet, or a program of its own has made it. */
  readonly command: StoredCommand | undefined
}

const DEFAULT_URL = 'sqlite:./stowage-migration.db'
const SETTING = 'command'

export function withManifestOptions(command: Command): Command {
  return command
    .option(
      '--manifest <url>',
      `database that keeps the state, such as rqlite://h1:4001 for several machines (default: STOWAGE_MANIFEST, else ${DEFAULT_URL})`,
    )
    .option('--name <name>', 'which of the migrations in that database (default: default)')
}

function manifestUrl({ terminal: { env } }: Session, { manifest }: ManifestOptions): string {
  return manifest ?? env.STOWAGE_MANIFEST ?? DEFAULT_URL
}

/** Whether there is no such database yet: opening it would make one. */
export function isNewManifest(session: Session, options: ManifestOptions): boolean {
  return isNewDatabase(manifestUrl(session, options))
}

/** The manifest's database, which nobody has asked yet: no file is made before. Closed when the command ends. */
export async function manifestEngine(session: Session, options: ManifestOptions): Promise<Engine> {
  return session.closing(await engineOf(manifestUrl(session, options), session.terminal.env))
}

/** Opens the manifest, which is made where there is none. */
export async function openManifest(
  engine: Engine,
  { name = 'default' }: ManifestOptions,
): Promise<OpenedManifest> {
  const { openManifest: openOf } = await import('../../../migrate/manifest/open-manifest.ts')
  const manifest = await openOf(engine, name)
  const stored = await manifest.setting(SETTING)
  return { engine, manifest, command: stored === undefined ? undefined : JSON.parse(stored) }
}

/** The same for a command that needs one: nothing is made where nothing is. */
export async function openKnownManifest(session: Session, options: ManifestOptions): Promise<OpenedManifest> {
  const url = manifestUrl(session, options)
  const none = new UsageError(
    `there is no migration${options.name === undefined ? '' : ` ${options.name}`} in ${url}; begin with stowage migrate run <from> <to>`,
  )
  if (isNewDatabase(url)) throw none
  const opened = await openManifest(await manifestEngine(session, options), options)
  if (opened.command === undefined && (await opened.manifest.setting('settings')) === undefined) throw none
  return opened
}

export function storeCommand(manifest: Manifest, command: StoredCommand): Promise<void> {
  return manifest.setSetting(SETTING, JSON.stringify(command))
}

/**
 * A file is not synced with each change, which would hold up the copies: a kill loses nothing by that, and after a power
 * failure the last copies are found at the destination, and taken as what they are.
 */
async function engineOf(url: string, env: Session['terminal']['env']): Promise<Engine> {
  const path = databaseFile(url)
  if (path === undefined) return openEngine(url, { env })
  const { sqlite } = await import('../../../sql/sqlite/index.ts')
  return sqlite({ path, durability: 'normal' })
}

/** Clears away what processes that were killed have left: they could not do it themselves. */
import { lstat, readdir, readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { ownerState } from '../../core/process-owner.ts'
import type { KeyLocks } from './key-lock.ts'
import type { ObjectFiles } from './object-files.ts'
import { identityOf, type Sidecars } from './sidecar.ts'
import type { Workspace } from './workspace.ts'

/** What another machine left, or what can't be told whose it is, is left alone this long. */
const UNKNOWN_AGE_MS = 24 * 60 * 60 * 1000
/** Attributes lie beside no file for the moment of an upload's last steps only. */
const ORPHAN_AGE_MS = 60 * 60 * 1000
/** Entries looked at in one go: a sweep must not delay anybody's work noticeably. */
const MAX_ENTRIES = 1000

export interface SweepOptions {
  readonly workspace: Workspace
  readonly locks: KeyLocks
  readonly sidecars: Sidecars
  readonly files: ObjectFiles
  readonly now: () => number
  readonly random: () => number
}

/** Temporary files and locks of ended processes, and orphans in one part, chosen at random, of the attributes. */
export async function sweep(options: SweepOptions): Promise<void> {
  await sweepTemp(options)
  await options.locks.clearEnded(MAX_ENTRIES)
  await sweepOrphans(options)
}

async function sweepTemp({ workspace, sidecars, now }: SweepOptions): Promise<void> {
  for (const name of await names(workspace.temp)) {
    const [owner, , keyHash] = name.split('.')
    const path = join(workspace.temp, name)
    await ifThere(async () => {
      const stats = await lstat(path, { bigint: true })
      const state = ownerState(owner!)
      if (state === 'running' || (state === 'unknown' && isYoung(stats.mtimeMs, now(), UNKNOWN_AGE_MS)))
        return
      // More than one link: it is an object already, which needs its attributes.
      if (keyHash !== undefined && stats.nlink === 1n)
        await unlink(sidecars.pathOfHash(keyHash, identityOf(stats))).catch(ignoreMissing)
      await unlink(path)
    })
  }
}

async function sweepOrphans({ workspace, files, now, random }: SweepOptions): Promise<void> {
  const parts = await names(workspace.meta)
  const part = parts[Math.floor(random() * parts.length)]
  if (part === undefined) return
  for (const name of await names(join(workspace.meta, part))) {
    const path = join(workspace.meta, part, name)
    await ifThere(async () => {
      if (isYoung((await lstat(path, { bigint: true })).mtimeMs, now(), ORPHAN_AGE_MS)) return
      const key = keyOf(await readFile(path, 'utf8'))
      if (key === undefined) return
      const found = await files.find(key)
      const [, mtimeNs, size] = name.split('.')
      if (found && String(found.file.mtimeNs) === mtimeNs && String(found.file.size) === size) return
      await unlink(path)
    })
  }
}

function keyOf(text: string): string | undefined {
  try {
    const { key } = JSON.parse(text) as { key?: unknown }
    return typeof key === 'string' ? key : undefined
  } catch {
    return undefined
  }
}

function isYoung(mtimeMs: bigint, now: number, age: number): boolean {
  return now - Number(mtimeMs) < age
}

async function names(folder: string): Promise<string[]> {
  return (await readdir(folder)).slice(0, MAX_ENTRIES)
}

/** Another sweep may be faster. */
async function ifThere(work: () => Promise<void>): Promise<void> {
  await work().catch(ignoreMissing)
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}

/**
 * One holder per key among all processes on a root, for the moment of a commit.
 *
 * A lock is a hard link to the holder's own file, made by `link(2)`, which is atomic and fails where the name
 * exists: the lock and its holder's name appear in one step. It is taken over only where the holder has certainly
 * ended, and by one process at a time: whoever wants to remove it takes a second lock named after both.
 */
import { link, mkdir, readdir, readFile, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { StorageError } from '../../core/errors.ts'
import { ownerState, PROCESS_OWNER } from '../../core/process-owner.ts'
import { lacksHardLinks } from './file-system.ts'

/** Longest wait for another holder: commits take milliseconds. */
const MAX_WAIT_MS = 10_000
const MAX_PAUSE_MS = 20

export class KeyLocks {
  readonly #folder: string
  readonly #ownFile: string
  readonly #queues = new Map<string, Promise<void>>()
  #own: Promise<void> | undefined

  constructor(folder: string) {
    this.#folder = folder
    this.#ownFile = join(folder, `${PROCESS_OWNER}-${nextOwner++}.owner`)
  }

  /** Runs `work` while no other process, and nothing else in this one, holds any of `names`. */
  async hold<T>(
    names: readonly string[],
    signal: AbortSignal | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    // One order for all: two moves in opposite directions can't wait for each other.
    const ordered = [...new Set(names)].sort()
    const held: (() => Promise<void>)[] = []
    try {
      for (const name of ordered) held.push(await this.#acquire(name, signal))
      return await work()
    } finally {
      for (const release of held.reverse()) await release()
    }
  }

  /** Removes what processes that have ended left, of the first `most` files. */
  async clearEnded(most: number): Promise<void> {
    for (const name of (await readdir(this.#folder)).slice(0, most)) {
      const path = join(this.#folder, name)
      const holder = await readFile(path, 'latin1').catch(ignoreMissing)
      if (holder === undefined || ownerState(holder) !== 'ended') continue
      // Nobody waits for a process's own file: it needs no permit.
      if (name.endsWith('.owner')) await unlink(path).catch(ignoreMissing)
      else await this.#removeStale(path, holder, undefined)
    }
  }

  async close(): Promise<void> {
    if (this.#own === undefined) return
    this.#own = undefined
    await unlink(this.#ownFile).catch(ignoreMissing)
  }

  async #acquire(name: string, signal: AbortSignal | undefined): Promise<() => Promise<void>> {
    const leave = await this.#enqueue(name)
    const path = join(this.#folder, name)
    try {
      await this.#take(path, signal)
    } catch (error) {
      leave()
      throw error
    }
    return async () => {
      await unlink(path).catch(ignoreMissing)
      leave()
    }
  }

  /** Waits for its turn in this process, so that its own callers don't poll for each other. */
  async #enqueue(name: string): Promise<() => void> {
    const before = this.#queues.get(name)
    let leave = () => {}
    const turn = new Promise<void>(resolve => {
      leave = resolve
    })
    const last = before === undefined ? turn : before.then(() => turn)
    this.#queues.set(name, last)
    await before
    return () => {
      if (this.#queues.get(name) === last) this.#queues.delete(name)
      leave()
    }
  }

  async #take(path: string, signal: AbortSignal | undefined): Promise<void> {
    const until = performance.now() + MAX_WAIT_MS
    for (let pause = 0.5; ; pause = Math.min(pause * 2, MAX_PAUSE_MS)) {
      if (signal?.aborted) throw signal.reason
      if (await this.#link(path)) return
      const holder = await readFile(path, 'latin1').catch(ignoreMissing)
      if (holder === undefined) continue
      if (ownerState(holder) === 'ended') {
        await this.#removeStale(path, holder, signal)
        continue
      }
      if (performance.now() > until) {
        throw new StorageError(
          'conflict',
          `another process has been changing this object for ${MAX_WAIT_MS / 1000} seconds; if it runs on another machine and has ended, remove the file '${path}'`,
        )
      }
      await new Promise(resolve => setTimeout(resolve, pause * (0.5 + Math.random())))
    }
  }

  async #link(path: string): Promise<boolean> {
    for (let tries = 1; ; tries++) {
      await this.#ownFileIsThere()
      try {
        await link(this.#ownFile, path)
        return true
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        if (code === 'EEXIST') return false
        if (lacksHardLinks(error)) return this.#create(path)
        // Somebody has cleared the folder: the own file comes anew.
        if (code !== 'ENOENT' || tries === 3) throw error
        this.#own = undefined
      }
    }
  }

  /** Where there are no hard links, the holder's name comes one step after the lock: until then it is unknown. */
  async #create(path: string): Promise<boolean> {
    try {
      await writeFile(path, PROCESS_OWNER, { flag: 'wx' })
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
      throw error
    }
  }

  #ownFileIsThere(): Promise<void> {
    this.#own ??= (async () => {
      await mkdir(this.#folder, { recursive: true })
      await writeFile(this.#ownFile, PROCESS_OWNER)
    })().catch(error => {
      this.#own = undefined
      throw error
    })
    return this.#own
  }

  async #removeStale(path: string, holder: string, signal: AbortSignal | undefined): Promise<void> {
    const permit = `${path}.${holder}`
    await this.#take(permit, signal)
    try {
      // Read again: until the permit was there, another process may have removed it and taken the lock.
      if ((await readFile(path, 'latin1').catch(ignoreMissing)) === holder) await unlink(path)
    } finally {
      await unlink(permit).catch(ignoreMissing)
    }
  }
}

let nextOwner = 0

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

/** Lets one of several test workers or runs do a thing at a time. */
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'

const POLL_MS = 200

/** Waits until nobody else holds `path`; the returned function gives it back. A lock whose owner died is taken over. */
export async function lockFile(path: string, limitMs: number): Promise<() => void> {
  const deadline = performance.now() + limitMs
  while (!tryLock(path)) {
    if (performance.now() > deadline) throw new Error(`${path} is held by another test run for too long`)
    if (!ownerIsAlive(path)) rmSync(path, { force: true })
    else await wait(POLL_MS)
  }
  return () => rmSync(path, { force: true })
}

function tryLock(path: string): boolean {
  try {
    const file = openSync(path, 'wx')
    writeFileSync(file, String(process.pid))
    closeSync(file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function ownerIsAlive(path: string): boolean {
  try {
    const pid = Number(readFileSync(path, 'utf8'))
    // An empty file belongs to an owner that has opened it and not yet written.
    if (pid > 0) process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Builds a missing test server with `go install` into the cache, once, also when two test runs start together. */
import { spawn } from 'node:child_process'
import { mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { findTool, TOOLS, type Tool, type ToolName, toolCache } from './tools.ts'

const BUILD_LIMIT_MS = 20 * 60_000
const LOCK_POLL_MS = 500

/** The path of the program, built when it was absent; undefined where Go is absent too or can't build it. */
export async function findOrInstallTool(
  name: ToolName,
  say: (line: string) => void,
): Promise<string | undefined> {
  const found = findTool(name)
  const { goPackage }: Tool = TOOLS[name]
  if (found || !goPackage) return found
  const go = findTool('go')
  if (!go) return undefined
  const release = await lock(name)
  try {
    const builtMeanwhile = findTool(name)
    if (builtMeanwhile) return builtMeanwhile
    say(`building ${name} with go install, once; this takes some minutes`)
    const failure = await goInstall(go, goPackage)
    if (failure) say(`${name} could not be built: ${failure}`)
    return findTool(name)
  } finally {
    release()
  }
}

function goInstall(go: string, goPackage: string): Promise<string | undefined> {
  return new Promise(resolve => {
    const child = spawn(go, ['install', goPackage], {
      env: { ...process.env, GOBIN: toolCache(), CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false' },
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: BUILD_LIMIT_MS,
    })
    let complaint = ''
    child.stderr.on('data', chunk => {
      complaint = (complaint + chunk).slice(-2_000)
    })
    child.once('error', error => resolve(error.message))
    child.once('close', code => {
      resolve(code === 0 ? undefined : (complaint.trim().split('\n').at(-1) ?? `go ended with ${code}`))
    })
  })
}

async function lock(name: ToolName): Promise<() => void> {
  mkdirSync(toolCache(), { recursive: true })
  const path = join(toolCache(), `.${name}.lock`)
  const deadline = performance.now() + BUILD_LIMIT_MS
  while (!tryLock(path)) {
    if (performance.now() > deadline) throw new Error(`${path} is held by another test run for too long`)
    if (!ownerIsAlive(path)) rmSync(path, { force: true })
    else await wait(LOCK_POLL_MS)
  }
  return () => rmSync(path, { force: true })
}

function tryLock(path: string): boolean {
  try {
    writeFileSync(openSync(path, 'wx'), String(process.pid))
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

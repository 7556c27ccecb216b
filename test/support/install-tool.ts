/** Builds a missing test server with `go install` into the cache, once, also when two test runs start together. */
import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { lockFile } from './file-lock.ts'
import { findTool, TOOLS, type Tool, type ToolName, toolCache } from './tools.ts'

const BUILD_LIMIT_MS = 20 * 60_000

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
  mkdirSync(toolCache(), { recursive: true })
  const release = await lockFile(join(toolCache(), `.${name}.lock`), BUILD_LIMIT_MS)
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

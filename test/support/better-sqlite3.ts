/**
 * better-sqlite3, built once per Node ABI into the cache outside the checkout.
 *
 * Why: it is a dependency of nobody here, because `npm ci` would have to compile it; yet the engine must be held to it.
 * Its prebuilt binaries come from a host that a build machine may not reach, so it is compiled: that takes a C++
 * compiler, make, Python, and the headers of this Node, which lie in `include/` beside its `bin/` or in the folder that
 * `npm_config_nodedir` names.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type BetterSqlite3 from 'better-sqlite3'
import { lockFile } from './file-lock.ts'
import { toolCache } from './tools.ts'

type Database = typeof BetterSqlite3

const PACKAGES = ['better-sqlite3@12.11.1', 'node-gyp@11.5.0']
const BUILD_LIMIT_MS = 15 * 60_000

/** The constructor of its databases, built when it was absent; or in one sentence why there is none. */
export async function findOrBuildBetterSqlite3(
  say: (line: string) => void = () => {},
): Promise<{ Database: Database } | { missing: string }> {
  const folder = join(dirname(toolCache()), `better-sqlite3-${process.versions.modules}`)
  const found = load(folder)
  if (found) return { Database: found }
  const headers = findHeaders()
  if (!headers)
    return { missing: `better-sqlite3 is not here: no headers of Node ${process.version} to build it with` }
  mkdirSync(folder, { recursive: true })
  const release = await lockFile(join(folder, '.lock'), BUILD_LIMIT_MS)
  try {
    const builtMeanwhile = load(folder)
    if (builtMeanwhile) return { Database: builtMeanwhile }
    say('building better-sqlite3, once; this takes a minute or two')
    const failure = await build(folder, headers)
    const built = load(folder)
    return built
      ? { Database: built }
      : { missing: `better-sqlite3 could not be built: ${failure ?? 'it does not load'}` }
  } finally {
    release()
  }
}

/** Only what opens a database is whole: a build may have been killed. */
function load(folder: string): Database | undefined {
  try {
    const Database = createRequire(join(folder, 'package.json'))('better-sqlite3') as Database
    new Database(':memory:').close()
    return Database
  } catch {
    return undefined
  }
}

/** The folder whose `include/node` belongs to this very ABI. */
function findHeaders(): string | undefined {
  const folders = [process.env.npm_config_nodedir, dirname(dirname(process.execPath))]
  const abi = new RegExp(`#define NODE_MODULE_VERSION ${process.versions.modules}\\b`)
  return folders.find(folder => {
    try {
      return folder && abi.test(readFileSync(join(folder, 'include/node/node_version.h'), 'utf8'))
    } catch {
      return false
    }
  })
}

/** Returns the last line of what went wrong. */
async function build(folder: string, headers: string): Promise<string | undefined> {
  const install = ['install', '--prefix', folder, '--no-save', '--no-audit', '--no-fund', '--ignore-scripts']
  const failure = await run('npm', [...install, ...PACKAGES], folder)
  if (failure) return failure
  const gyp = join(folder, 'node_modules/node-gyp/bin/node-gyp.js')
  const source = join(folder, 'node_modules/better-sqlite3')
  return run(process.execPath, [gyp, 'rebuild', '--release', `--nodedir=${headers}`], source)
}

function run(program: string, parameters: readonly string[], cwd: string): Promise<string | undefined> {
  return new Promise(resolve => {
    const child = spawn(program, parameters, {
      cwd,
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: BUILD_LIMIT_MS,
    })
    let complaint = ''
    child.stderr.on('data', chunk => {
      complaint = (complaint + chunk).slice(-4_000)
    })
    child.once('error', error => resolve(error.message))
    child.once('close', code =>
      resolve(code === 0 ? undefined : reasonIn(complaint, `${program} ended with ${code}`)),
    )
  })
}

/** node-gyp's last words are `not ok`; the reason stands before. */
function reasonIn(complaint: string, otherwise: string): string {
  const lines = complaint.split('\n').map(line => line.trim())
  return lines.find(line => /error/i.test(line)) ?? otherwise
}

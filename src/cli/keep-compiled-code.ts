import * as nodeModule from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** From Node 22.8 on: https://nodejs.org/api/module.html#moduleenablecompilecachecachedir */
const { enableCompileCache } = nodeModule as { enableCompileCache?: (folder: string) => unknown }

/**
 * Lets Node keep the compiled code of the modules that are loaded from now on, for the next start. The folder is the
 * user's own, and not Node's default below the folder for temporary files, where others could lay code that is then run.
 * `NODE_COMPILE_CACHE` names another folder, `NODE_DISABLE_COMPILE_CACHE=1` turns it off; where the folder can't be
 * written, nothing is kept.
 */
export function keepCompiledCode(): void {
  const caches = userCaches()
  if (caches !== undefined) enableCompileCache?.(join(caches, 'stowage', 'compiled'))
}

function userCaches(): string | undefined {
  const { XDG_CACHE_HOME } = process.env
  if (XDG_CACHE_HOME) return XDG_CACHE_HOME
  try {
    return join(homedir(), '.cache')
  } catch {
    // A container's user that its list of users does not have.
    return undefined
  }
}

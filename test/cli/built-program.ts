import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'tsup'
import { requiredBuiltins } from '../../scripts/required-builtins.ts'

/** Inside node_modules, so that what is not bundled is found and git does not see it. */
const CACHE = join(import.meta.dirname, '../../node_modules/.cache')

export interface BuiltProgram {
  readonly path: string
  remove(): void
}

/** Builds the program as it is shipped: node 20 runs no TypeScript. Takes less than a second. */
export async function buildProgram(): Promise<BuiltProgram> {
  mkdirSync(CACHE, { recursive: true })
  const folder = mkdtempSync(join(CACHE, 'stowage-cli-'))
  const outDir = join(folder, 'dist')
  copyFileSync(join(import.meta.dirname, '../../package.json'), join(folder, 'package.json'))
  await build({
    config: false,
    silent: true,
    entry: { cli: 'src/cli/main.ts' },
    format: 'esm',
    outDir,
    target: 'node20',
    platform: 'node',
    splitting: true,
    removeNodeProtocol: false,
    esbuildPlugins: [requiredBuiltins],
  })
  return { path: join(outDir, 'cli.js'), remove: () => rmSync(folder, { recursive: true, force: true }) }
}

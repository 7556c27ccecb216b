import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'tsup'
import { requiredBuiltins } from '../../scripts/required-builtins.ts'

/** Inside node_modules, so that what is not bundled is found and git does not see it. */
const FOLDER = join(import.meta.dirname, '../../node_modules/.cache/stowage-cli')

/** Builds the program as it is shipped. For the global setup of the tests in this folder. */
export async function buildProgram(): Promise<string> {
  mkdirSync(FOLDER, { recursive: true })
  copyFileSync(join(import.meta.dirname, '../../package.json'), join(FOLDER, 'package.json'))
  const outDir = join(FOLDER, `dist-${process.pid}`)
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
  return join(outDir, 'cli.js')
}

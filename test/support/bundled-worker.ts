/** A test's process that is started again and again. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { build } from 'esbuild'

/** Inside node_modules, so that what is not bundled is found and git does not see it. */
const CACHE = join(import.meta.dirname, '../../node_modules/.cache')

export interface BundledWorker {
  readonly path: string
  remove(): void
}

/** `source` as plain JavaScript in one file: a process that starts in a moment. */
export async function bundledWorker(source: string): Promise<BundledWorker> {
  mkdirSync(CACHE, { recursive: true })
  const folder = mkdtempSync(join(CACHE, 'stowage-kills-'))
  await build({
    entryPoints: [source],
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  })
  return {
    path: join(folder, basename(source).replace(/\.ts$/, '.mjs')),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

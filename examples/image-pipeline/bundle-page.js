import { join } from 'node:path'
import { build } from 'esbuild'

const PAGE = join(import.meta.dirname, 'page')

const ENTRIES = ['page.js', 'page.css', 'stage.js', 'image-worker.js']

/**
 * The page's files for `/assets/`, bundled when the server starts: its own code with `stowage/browser`, the stage with
 * PixiJS, which is loaded when a photo is opened, and the worker.
 *
 * @returns {Promise<Map<string, Uint8Array>>} by name
 */
export async function bundlePage() {
  const { outputFiles } = await build({
    entryPoints: ENTRIES.map(file => join(PAGE, file)),
    outdir: PAGE,
    write: false,
    bundle: true,
    minify: true,
    // The page loads the stage by its address.
    external: ['/assets/*'],
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'silent',
  })
  return new Map(outputFiles.map(({ path, contents }) => [path.slice(PAGE.length + 1), contents]))
}

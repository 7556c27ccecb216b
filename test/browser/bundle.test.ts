import { builtinModules } from 'node:module'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { describe, expect, it } from 'vitest'
import { bundled, entry } from './library-page.ts'

/** 6 KB, as `ls` counts them. */
const LIMIT = 6 * 1024

describe('the bundle for pages', () => {
  it('holds no code of Node and needs no other package', async () => {
    // Whatever can't be resolved for a browser fails the build.
    const { metafile } = await build({
      entryPoints: [entry],
      bundle: true,
      write: false,
      outdir: '/',
      format: 'esm',
      platform: 'browser',
      metafile: true,
      external: builtinModules.flatMap(name => [name, `node:${name}`]),
      tsconfigRaw: {},
    })
    const imported = Object.values(metafile.inputs).flatMap(({ imports }) => imports)
    expect(imported.filter(({ external }) => external)).toEqual([])
    expect(Object.keys(metafile.inputs).filter(path => path.includes('node_modules'))).toEqual([])
    expect(imported.length).toBeGreaterThan(10)
  })

  it('is below 6 KB at the start, and so is what the first photo brings, minified and compressed', async () => {
    const files = await bundled()
    const first = new Set(['/stowage.js'])
    for (const name of first) {
      const text = Buffer.from(files[name]!).toString()
      for (const [, other] of text.matchAll(/(?:from|import) ?"\.(\/[\w.-]+)"/g)) first.add(other!)
    }
    const size = (names: string[]) =>
      names.reduce((sum, name) => sum + gzipSync(files[name]!, { level: 9 }).length, 0)
    const start = size([...first])
    const photo = size(Object.keys(files).filter(name => !first.has(name)))
    console.log(`stowage/browser: ${start} bytes minified and compressed, and ${photo} with the first photo`)
    expect(start).toBeGreaterThan(1000)
    expect(start).toBeLessThan(LIMIT)
    expect(photo).toBeGreaterThan(1000)
    expect(photo).toBeLessThan(LIMIT)
  })
})

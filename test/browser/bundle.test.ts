import { builtinModules } from 'node:module'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { describe, expect, it } from 'vitest'
import { bundled, entry } from './library-page.ts'

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

  it('is one file below 6 KB, minified and compressed, with all that it ever loads', async () => {
    const library = await bundled()
    const text = Buffer.from(library).toString()
    expect(text).not.toMatch(/\bimport\b/)
    for (const name of ['processImage', 'blurhashToDataURL', 'drawBlurhash', 'uploadDirect'])
      expect(text).toContain(` as ${name}`)
    const { length } = gzipSync(library, { level: 9 })
    console.log(`stowage/browser: ${length} bytes minified and compressed`)
    expect(length).toBeLessThan(6 * 1024)
  })
})

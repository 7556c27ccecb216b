import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build as bundle } from 'esbuild'
import ts from 'typescript'
import { beforeAll, describe, expect, test } from 'vitest'
import { importsOf } from '../../scripts/check-imports.js'
import { build, entries, manifest, optionalPeers, root } from './packed-package.ts'

beforeAll(build)

/** Packages that are loaded as soon as `file` is, by way of our own chunks. */
function loadedWith(file: string): string[] {
  const seen = new Set<string>()
  const packages = new Set<string>()
  const visit = (path: string) => {
    if (seen.has(path)) return
    seen.add(path)
    expect(existsSync(path), path).toBe(true)
    const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true)
    for (const { target, kind } of importsOf(source)) {
      if (kind === 'static' && target.startsWith('.')) visit(join(dirname(path), target))
      else if (kind === 'static' && !target.startsWith('node:')) packages.add(target)
    }
  }
  visit(file)
  return [...packages]
}

const builtFiles = entries.flatMap(({ name, files }) => [
  { what: `${name} as ES module`, file: join(root, files.import.default) },
  { what: `${name} as CommonJS`, file: join(root, files.require.default) },
])

describe('the built files', () => {
  test.each(builtFiles)('$what loads no package before it is used', ({ file }) => {
    expect(loadedWith(file)).toEqual([])
  })

  test('the program loads no optional peer before it is used', () => {
    const loaded = loadedWith(join(root, 'dist/cli.js'))
    expect(loaded.filter(name => optionalPeers.some(peer => name.startsWith(peer)))).toEqual([])
  })

  test('the core entry is at most 10 KB, minified and compressed', async () => {
    const { outputFiles } = await bundle({
      entryPoints: [join(root, 'dist/index.js')],
      bundle: true,
      minify: true,
      write: false,
      format: 'esm',
      platform: 'node',
      packages: 'external',
      logLevel: 'error',
    })
    const bytes = gzipSync(outputFiles[0]?.contents ?? '').length
    console.log(`${manifest.name}: ${(bytes / 1000).toFixed(1)} KB minified and compressed`)
    expect(bytes).toBeGreaterThan(0)
    expect(bytes).toBeLessThanOrEqual(10_000)
  })
})

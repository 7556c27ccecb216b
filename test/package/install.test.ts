import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  BUILD_AND_INSTALL_MS,
  entries,
  installInto,
  linkPackages,
  manifest,
  optionalPeers,
  type Project,
  pack,
} from './packed-package.ts'

const names = entries.map(entry => entry.name)

/** The AWS SDK warns on Node 20 that it will leave it; its words are not ours. */
const QUIET_SDK = 'process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = "true"\n'

let folder: string
let bare: Project
let full: Project

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stowage-pack-'))
  const tarball = await pack(folder)
  bare = installInto(tarball, 'bare')
  full = installInto(tarball, 'full')
  linkPackages(full, optionalPeers)
}, BUILD_AND_INSTALL_MS)

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
  bare?.remove()
  full?.remove()
})

/** Each format's way to get at a module, for scripts that are otherwise the same. */
const formats = [
  { format: 'ES module', file: 'use.mjs', load: (name: string) => `await import('${name}')` },
  { format: 'CommonJS', file: 'use.cjs', load: (name: string) => `require('${name}')` },
]

function script(body: string): string {
  return `${QUIET_SDK}async function main() {\n${body}\n}\nmain().catch(e => { console.error(e); process.exitCode = 1 })\n`
}

function exportedNames(
  project: Project,
  file: string,
  load: (name: string) => string,
): Record<string, string[]> {
  const lines = names.map(name => `found['${name}'] = Object.keys(${load(name)})`)
  return JSON.parse(
    project.run(file, script(`const found = {}\n${lines.join('\n')}\nconsole.log(JSON.stringify(found))`)),
  )
}

describe('the installed package', () => {
  test('is at most 5 MB and 10 packages without peers', () => {
    const { packages, bytes } = weigh(join(bare.folder, 'node_modules'))
    console.log(`bare install: ${packages} packages, ${(bytes / 1e6).toFixed(2)} MB`)
    expect(packages).toBeLessThanOrEqual(10)
    expect(bytes).toBeLessThanOrEqual(5_000_000)
  })

  test('holds no source, no tests and the licences of what is bundled', () => {
    const found = readdirSync(join(bare.folder, 'node_modules/stowage'))
    const known = ['CHANGELOG.md', 'LICENSE', 'README.md', 'dist', 'docs', 'package.json']
    expect(found.filter(name => !known.includes(name))).toEqual([])
    expect(existsSync(join(bare.folder, 'node_modules/stowage/dist/THIRD-PARTY-LICENSES.txt'))).toBe(true)
  })

  test('gives the program', () => {
    const program = join(bare.folder, 'node_modules/.bin/stowage')
    expect(execFileSync(program, ['--version'], { encoding: 'utf8' }).trim()).toBe(manifest.version)
  })

  test('has the same names in every entry as ES module and as CommonJS', () => {
    const [modules, commonjs] = formats.map(({ file, load }) => exportedNames(bare, file, load))
    for (const name of names) {
      expect(modules?.[name]?.filter(one => one !== 'default').sort(), name).toEqual(commonjs?.[name]?.sort())
    }
  })

  test('has one StorageError, whichever copy threw it', () => {
    const output = bare.run(
      'copies.mjs',
      `import { createRequire } from 'node:module'
       import * as modules from 'stowage'
       import * as modulesMemory from 'stowage/memory'
       const require = createRequire(import.meta.url)
       const commonjs = require('stowage')
       const commonjsMemory = require('stowage/memory')
       const caught = async files => files.info('missing').catch(error => error)
       const fromCommonjs = await caught(commonjsMemory.memory())
       const fromModules = await caught(modulesMemory.memory())
       console.log(JSON.stringify([
         modules.StorageError === commonjs.StorageError,
         fromCommonjs instanceof modules.StorageError,
         fromModules instanceof commonjs.StorageError,
         fromCommonjs.code,
         new Error('other') instanceof modules.StorageError,
       ]))`,
    )
    expect(JSON.parse(output)).toEqual([false, true, true, 'not-found', false])
  })
})

describe.each(formats)('as $format', ({ file, load }) => {
  test('every entry can be imported without the optional peers', () => {
    expect(Object.keys(exportedNames(bare, file, load))).toEqual(names)
  })

  test('every entry can be imported with the optional peers', () => {
    expect(Object.keys(exportedNames(full, file, load))).toEqual(names)
  })

  test('memory storage stores and tells the type without any peer', () => {
    const output = bare.run(
      file,
      script(`const { memory } = ${load('stowage/memory')}
        const files = memory()
        const { contentType } = await files.upload('a/photo.json', '{}')
        console.log(contentType, await (await files.download('a/photo.json')).text())`),
    )
    expect(output.trim()).toBe('application/json {}')
  })

  test('s3 without its peers gives one sentence with one line that installs all of them', () => {
    const { code, message } = firstUse(bare, file, load, 'stowage/s3', S3)
    const wanted = ['@aws-sdk/client-s3', '@aws-sdk/s3-request-presigner', 'undici']
    expect(code).toBe('unsupported')
    expect(namedPackages(message)).toEqual(wanted)
  })

  test('supabase without its peer gives one sentence with the line that installs it', () => {
    const { code, message } = firstUse(bare, file, load, 'stowage/supabase', SUPABASE)
    expect(code).toBe('unsupported')
    expect(namedPackages(message)).toEqual(['tus-js-client'])
  })

  test.each([
    [
      'redisCache',
      'stowage/cache',
      'ioredis',
      `redisCache({ url: 'redis://127.0.0.1:59999' }).getMany(['a'])`,
    ],
    ['describe', 'stowage/images', 'sharp', `describe(Buffer.from('89504e470d0a1a0a', 'hex'))`],
  ])('%s without its peer gives one sentence with the line that installs it', (name, entry, peer, call) => {
    const { code, message } = firstUse(bare, file, load, entry, call, name)
    expect(code).toBe('unsupported')
    expect(namedPackages(message)).toEqual([peer])
  })

  test('s3 works with its peers', () => {
    const { url } = firstUse(full, file, load, 'stowage/s3', S3)
    expect(url).toContain('X-Amz-Signature=')
  })

  test('supabase gets past loading its peer where it is', () => {
    const { message } = firstUse(full, file, load, 'stowage/supabase', SUPABASE)
    expect(message).not.toContain('npm install')
  })
})

const NOBODY = 'http://127.0.0.1:59999'

const S3 = `s3({ bucket: 'b', region: 'us-east-1', endpoint: '${NOBODY}', credentials:
  { accessKeyId: 'a', secretAccessKey: 'b' } }).signedUrl('k', { expiresIn: 60 })`

/** A stream of unknown length goes up in chunks, which is what the peer is for. */
const SUPABASE = `supabase({ bucket: 'b', url: '${NOBODY}', key: 'k' }).upload('k', (async function* () {
  for (let megabytes = 0; megabytes < 16; megabytes++) yield new Uint8Array(1_000_000)
})())`

function firstUse(
  project: Project,
  file: string,
  load: (name: string) => string,
  entry: string,
  expression: string,
  name = entry.split('/')[1],
): { code?: string; message: string; url: string } {
  const output = project.run(
    file,
    script(`const { ${name} } = ${load(entry)}
      const shown = ({ code, message, url }) => console.log(JSON.stringify({ code, message, url }))
      await (async () => ${expression})().then(shown, shown)`),
  )
  return JSON.parse(output)
}

function namedPackages(message: string): string[] {
  expect(message.split('\n')).toHaveLength(1)
  const [, list = ''] = /npm install ([^.;\n]+)$/.exec(message) ?? []
  return list.split(' ').sort()
}

function weigh(folder: string): { packages: number; bytes: number } {
  let packages = 0
  let bytes = 0
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const file = statSync(join(folder, path))
    if (!file.isFile()) continue
    bytes += file.size
    if (/(^|node_modules\/)(@[^/]+\/)?[^/]+\/package\.json$/.test(path)) packages++
  }
  return { packages, bytes }
}

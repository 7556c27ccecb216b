import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  BUILD_AND_INSTALL_MS,
  entries,
  installInto,
  linkPackages,
  optionalPeers,
  type Project,
  pack,
  root,
} from './packed-package.ts'

let folder: string
let consumer: Project

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stowage-pack-'))
  consumer = installInto(await pack(folder), 'types')
  linkPackages(consumer, ['@types/node'])
}, BUILD_AND_INSTALL_MS)

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
  consumer?.remove()
})

const everyEntry = entries.map(({ name }, index) => `export * as part${index} from '${name}'`).join('\n')

const use = `import { StorageError, type StorageProvider } from 'stowage'
import { memory } from 'stowage/memory'
${everyEntry}

const files: StorageProvider = memory()

export async function size(key: string): Promise<number | undefined> {
  try {
    return (await files.info(key)).size
  } catch (error) {
    if (error instanceof StorageError && error.code === 'not-found') return undefined
    throw error
  }
}

// @ts-expect-error a body is required
export const refused = files.upload('a')
`

/** Complaints of the compiler about a consumer of every entry; none is the empty string. */
function compile(files: readonly string[], options: readonly string[]): string {
  for (const file of files) consumer.write(file, use)
  const { stdout } = spawnSync(
    process.execPath,
    [
      join(root, 'node_modules/typescript/bin/tsc'),
      ...['--noEmit', '--strict', '--target', 'es2022', '--types', 'node', ...options, ...files],
    ],
    { cwd: consumer.folder, encoding: 'utf8' },
  )
  return stdout
}

const BOTH_FORMATS = ['use.mts', 'use.cts']

describe('the types of the package', () => {
  test('compile in ES modules and in CommonJS under node16, without the optional peers', () => {
    expect(compile(BOTH_FORMATS, ['--module', 'node16', '--skipLibCheck'])).toBe('')
  })

  test('compile under bundler, without the optional peers', () => {
    expect(
      compile(['use.ts'], ['--module', 'esnext', '--moduleResolution', 'bundler', '--skipLibCheck']),
    ).toBe('')
  })

  test('name nothing that is not there, with the optional peers', () => {
    linkPackages(consumer, optionalPeers)
    expect(compile(BOTH_FORMATS, ['--module', 'node16'])).toBe('')
    // The compiler reads the whole SDK's types here.
  }, 180_000)
})

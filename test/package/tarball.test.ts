import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { entries, manifest, pack, root } from './packed-package.ts'

let folder: string
let tarball: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stowage-pack-'))
  tarball = await pack(folder)
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('publint has nothing to say about the tarball', async () => {
  const bytes = readFileSync(tarball)
  const { messages, pkg } = await publint({ pack: { tarball: new Uint8Array(bytes).buffer }, strict: true })
  expect(messages.map(message => formatMessage(message, pkg ?? {}))).toEqual([])
})

test('attw finds the right types for every entry, as ES module and as CommonJS', () => {
  const { stdout } = spawnSync(
    process.execPath,
    [join(root, 'node_modules/.bin/attw'), tarball, '--profile', 'node16', '--format', 'json'],
    { encoding: 'utf8' },
  )
  const { analysis } = JSON.parse(stdout)
  const paths = Object.keys(analysis.entrypoints).map(path => path.replace(/^\./, manifest.name))
  expect(paths).toEqual(expect.arrayContaining(entries.map(entry => entry.name)))
  const relevant = analysis.problems.filter(
    (problem: { resolutionKind?: string }) => problem.resolutionKind !== 'node10',
  )
  expect(relevant).toEqual([])
})

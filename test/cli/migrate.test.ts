import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { expect, test } from 'vitest'
import { jsonLines, theProgram } from './program-process.ts'

const { run, at } = theProgram()

/** Files of a folder, a migration of its own: manifest and stores have names that begin alike. */
async function files(name: string, texts: Readonly<Record<string, string>>) {
  for (const [key, text] of Object.entries(texts)) {
    await mkdir(dirname(at(name, key)), { recursive: true })
    await writeFile(at(name, key), text)
  }
  const manifest = ['--manifest', `sqlite:./${name}.db`]
  return {
    /** A command of this migration; the first names the stores. */
    migrate: (command: string, ...more: string[]) => run(['migrate', command, ...manifest, ...more]),
    stores: [`file:./${name}`, `file:./${name}-new`],
    text: (key: string) => readFile(at(`${name}-new`, key), 'utf8'),
  }
}

const TEXTS = { 'a.txt': 'one', 'b/c.txt': 'two', 'b/ä d.txt': 'three' }

test('plan says what would be copied and copies nothing; run copies and verifies', async () => {
  const { migrate, stores, text } = await files('plain', TEXTS)
  const plan = await migrate('plan', ...stores)
  expect([plan.code, plan.stderr]).toEqual([0, ''])
  expect(plan.stdout).toMatch(/to copy +3 +11 B/)
  await expect(text('a.txt')).rejects.toMatchObject({ code: 'ENOENT' })
  expect((await migrate('status')).code).toBe(6)
  const first = await migrate('run')
  expect([first.code, first.stderr]).toEqual([0, ''])
  expect(first.stdout).toMatch(/^3 objects copied, 11 B in/)
  expect(first.stdout).toMatch(/match +3/)
  expect(await text('b/ä d.txt')).toBe('three')
  const second = await migrate('run')
  expect([second.code, second.stdout.split('\n')[0]]).toEqual([0, expect.stringMatching(/^0 objects copied/)])
  const status = await migrate('status')
  expect(status.code).toBe(0)
  expect(status.stdout).toContain('file:./plain -> file:./plain-new')
  expect(status.stdout).toContain('everything is copied and matches')
})

test('verify and report end with 6 where something does not match, and say what', async () => {
  const { migrate, stores } = await files('damaged', TEXTS)
  await migrate('run', ...stores)
  await rm(at('damaged-new', 'a.txt'))
  await writeFile(at('damaged-new', 'extra.txt'), 'extra')
  const verify = await migrate('verify')
  expect(verify.code).toBe(6)
  expect(verify.stdout).toMatch(/^verified 3 objects, 11 B, by checksum\n/)
  expect(verify.stderr).toContain('missing-destination: a.txt: nothing is there at the destination\n')
  expect(verify.stderr).toContain('missing-source: extra.txt: no object of the source goes there\n')
  const combined = await migrate('report', '--combined', '-')
  expect([combined.code, combined.stdout]).toEqual([6, '+ a.txt\n= b/c.txt\n= b/ä d.txt\n- extra.txt\n'])
  const report = await migrate('report', '--html', 'damaged.html', '--jsonl', 'damaged.jsonl')
  expect([report.code, report.stdout]).toEqual([6, 'damaged.jsonl\ndamaged.html\n'])
  expect(await readFile(at('damaged.html'), 'utf8')).toContain('2 objects to look at')
  const lines = jsonLines(await readFile(at('damaged.jsonl'), 'utf8'))
  expect(lines.at(-1)).toMatchObject({ summary: { complete: false, strays: { destination: 1 } } })
  await rm(at('damaged-new', 'extra.txt'))
  expect((await migrate('run')).code).toBe(0)
  expect((await migrate('verify', '--level', 'content')).code).toBe(0)
})

test('run --repair says what it has copied again', async () => {
  const { migrate, stores } = await files('repaired', TEXTS)
  await migrate('run', ...stores)
  await writeFile(at('repaired-new', 'a.txt'), 'of another hand')
  expect((await migrate('verify')).code).toBe(6)
  expect((await migrate('run', '--repair')).code).toBe(6)
  const run = await migrate('run', '--repair', '--existing', 'overwrite', '--json')
  expect([run.code, jsonLines(run.stdout).at(-1)]).toEqual([
    0,
    expect.objectContaining({ action: 'run', complete: true, repaired: expect.any(Number) }),
  ])
})

test('rules are remembered, and others refused', async () => {
  const { migrate, stores, text } = await files('ruled', { ...TEXTS, 'b/x.tmp': 'left out' })
  const rules = ['--prefix', 'b/', '--exclude', '**/*.tmp', '--key-rule', 'prefix:b/=new/']
  const headers = ['--cache-control', 'max-age=60', '--metadata', 'moved=yes']
  const plan = await migrate('plan', ...stores, ...rules, ...headers)
  expect(plan.code).toBe(0)
  expect(plan.stdout).toMatch(/left out +1 +8 B/)
  expect((await migrate('run')).code).toBe(0)
  expect(await text('new/c.txt')).toBe('two')
  const info = await run(['info', '--json', stores[1]!, 'new/c.txt'])
  expect(JSON.parse(info.stdout)).toMatchObject({ cacheControl: 'max-age=60', metadata: { moved: 'yes' } })
  expect(await migrate('run', '--prefix', 'a/')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(
      'begun with other rules (--prefix, --exclude, --key-rule, --cache-control, --metadata)',
    ),
  })
  expect(await migrate('run', stores[1]!, stores[0]!)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('this migration is from file:./ruled to file:./ruled-new'),
  })
  const other = await migrate('run', ...stores, '--name', 'other', '--prefix', 'a')
  expect(other.code).toBe(0)
  expect(await text('a.txt')).toBe('one')
})

test('types and cache-control go by what keys end with', async () => {
  const { migrate, stores } = await files('endings', { 'a.html': '<p>', 'b.wasm': 'w', 'c.txt': 'c' })
  const caching = ['--cache-control', '.html=no-cache', '--cache-control', 'public, max-age=60']
  const types = ['--content-type', '.wasm=application/x-wasm']
  const twice = await migrate('plan', ...stores, ...types, '--content-type', '.wasm=text/plain')
  expect([twice.code, twice.stderr]).toEqual([
    2,
    expect.stringContaining('two values for keys that end with .wasm'),
  ])
  expect((await migrate('run', ...stores, ...caching, ...types)).code).toBe(0)
  const info = await run(['info', '--json', stores[1]!, 'a.html', 'b.wasm', 'c.txt'])
  expect(jsonLines(info.stdout)).toMatchObject([
    { contentType: 'text/html', cacheControl: 'no-cache' },
    { contentType: 'application/x-wasm', cacheControl: 'public, max-age=60' },
    { contentType: 'text/plain', cacheControl: 'public, max-age=60' },
  ])
  expect((await migrate('run')).code).toBe(0)
})

test('before anything was copied, another plan may be made', async () => {
  const { migrate, stores, text } = await files('replanned', TEXTS)
  expect((await migrate('plan', ...stores, '--prefix', 'a')).stdout).toMatch(/to copy +1 /)
  expect((await migrate('plan', '--prefix', 'b/')).stdout).toMatch(/to copy +2 /)
  expect((await migrate('run')).code).toBe(0)
  await expect(text('a.txt')).rejects.toMatchObject({ code: 'ENOENT' })
  expect((await migrate('plan', '--prefix', 'a')).code).toBe(2)
})

test('a dry run names what would be copied, and refusals end with 6', async () => {
  const { migrate, stores, text } = await files('dry', { 'a.txt': 'one', 'b.txt': 'two' })
  await mkdir(at('dry-new'))
  await writeFile(at('dry-new', 'b.txt'), 'of another')
  const dry = await migrate('run', '-n', ...stores, '--existing', 'refuse')
  expect(dry.code).toBe(6)
  expect(dry.stdout).toMatch(/^would copy a.txt -> a.txt {2}3 B\n/)
  expect(dry.stdout).not.toContain('would copy b.txt')
  expect(dry.stdout).toMatch(/refused: b.txt -> b.txt/)
  const ran = await migrate('run')
  expect(ran.code).toBe(6)
  expect([await text('a.txt'), await text('b.txt')]).toEqual(['one', 'of another'])
  expect((await migrate('run', '--existing', 'overwrite')).code).toBe(0)
  expect(await text('b.txt')).toBe('two')
})

test('with --json each event is a line, and the result is the last', async () => {
  const { migrate, stores } = await files('json', TEXTS)
  const { code, stdout } = await migrate('run', ...stores, '--json')
  expect(code).toBe(0)
  const lines = jsonLines(stdout)
  expect(lines.filter(({ event }) => event === 'copied')).toEqual(
    expect.arrayContaining([expect.objectContaining({ from: 'a.txt', key: 'a.txt', size: 3 })]),
  )
  expect(lines.at(-1)).toMatchObject({ action: 'run', complete: true, copied: 3 })
  expect(JSON.parse((await migrate('status', '--json')).stdout)).toMatchObject({
    action: 'status',
    complete: true,
    from: 'file:./json',
    states: { copied: { objects: 3, bytes: 11 } },
  })
})

test('a module repacks bodies, and another one is refused afterwards', async () => {
  const { migrate, stores, text } = await files('packed', TEXTS)
  const module = (what: string) =>
    `export default async function* (body) { for await (const chunk of body) yield Buffer.from(chunk.toString().${what}()) }`
  await writeFile(
    at('repack.mjs'),
    module('toUpperCase').replace('chunk.toString()', 'Buffer.from(chunk).toString()'),
  )
  expect((await migrate('run', ...stores, '--transform', './repack.mjs')).code).toBe(0)
  expect(await text('a.txt')).toBe('ONE')
  expect((await migrate('verify', '--level', 'content')).code).toBe(0)
  await writeFile(at('repack.mjs'), module('toLowerCase'))
  expect(await migrate('run')).toMatchObject({ code: 5, stderr: expect.stringContaining('rules') })
  await writeFile(at('repack.mjs'), 'export const none = 1')
  expect(await migrate('run')).toMatchObject({ code: 2, stderr: expect.stringContaining('default export') })
})

test('files with records on either side move with them', async () => {
  const { migrate, stores, text } = await files('recorded', TEXTS)
  const records = ['--records-to', 'sqlite:./recorded-new.records', '--tenant-to', 'acme']
  const there = await migrate('run', ...stores, ...records)
  expect([there.code, there.stderr]).toEqual([0, ''])
  expect((await migrate('verify', '--level', 'content')).code).toBe(0)
  const recorded = ['--records', 'sqlite:./recorded-new.records', '--tenant', 'acme']
  const listed = await run(['ls', '-r', stores[1]!, ...recorded])
  expect(listed.stdout).toBe('a.txt\nb/c.txt\nb/ä d.txt\n')
  await expect(text('a.txt')).rejects.toMatchObject({ code: 'ENOENT' })
  expect((await run(['audit', stores[1]!, ...recorded])).code).toBe(0)

  const back = ['--records-from', 'sqlite:./recorded-new.records', '--tenant-from', 'acme', '--name', 'back']
  expect((await migrate('run', stores[1]!, 'file:./recorded-back', ...back)).code).toBe(0)
  expect(await readFile(at('recorded-back', 'b/ä d.txt'), 'utf8')).toBe('three')
})

test('without a migration the commands say how to begin one, and make no database', async () => {
  for (const command of ['status', 'report', 'verify'])
    expect(await run(['migrate', command])).toMatchObject({
      code: 2,
      stderr: `stowage migrate ${command}: there is no migration in sqlite:./stowage-migration.db; begin with stowage migrate run <from> <to>\n`,
    })
  await expect(readFile(at('stowage-migration.db'))).rejects.toMatchObject({ code: 'ENOENT' })
  expect(await run(['migrate', 'run', '--manifest', 'sqlite:./none.db'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('name the stores'),
  })
})

test.each([
  [['--level', 'all'], /Allowed choices are attributes, checksum, content/],
  [['--concurrency', '0'], /whole number above 0/],
  [['--key-rule', 'nonsense'], /key rule|rule/i],
  [['--include', 'regex:('], /no regular expression/],
  [['--modified-after', 'soon'], /2026-01-31/],
])('%j ends with 2 and one line', async (args, message) => {
  const { stores } = await files('refused', TEXTS)
  const { code, stderr } = await run([
    'migrate',
    'run',
    ...stores,
    '--manifest',
    'sqlite:./refused.db',
    ...args,
  ])
  expect([code, stderr.trimEnd().split('\n').length]).toEqual([2, 1])
  expect(stderr).toMatch(message)
})

test('help has examples for every command', async () => {
  const { stdout } = await run(['migrate', '--help'])
  for (const command of ['plan', 'run', 'status', 'verify', 'report', 'cutover', 'worker']) {
    expect(stdout).toMatch(new RegExp(`^ {2}${command} `, 'm'))
    const help = await run(['migrate', command, '--help'])
    expect(help.stdout).toMatch(new RegExp(`Examples:\n  stowage migrate ${command}`))
  }
})

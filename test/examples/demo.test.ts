import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BUILD_AND_INSTALL_MS, build, root } from '../package/packed-package.ts'

beforeAll(build, BUILD_AND_INSTALL_MS)
const folder = mkdtempSync(join(tmpdir(), 'stowage-demo-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The demo, with a folder for temporary files of its own: what it leaves there is seen. */
function demo(args: string[] = [], env: Record<string, string> = {}) {
  const temporary = mkdtempSync(join(folder, 'tmp-'))
  const { status, stdout, stderr } = spawnSync(process.execPath, ['examples/demo/demo.js', ...args], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, TMPDIR: temporary, ...env },
  })
  return { status, stdout, stderr, left: readdirSync(temporary) }
}

const REPORT = 'stowage-demo-report.html'

function moduleOf(code: string): string {
  return `data:text/javascript;base64,${Buffer.from(code).toString('base64')}`
}

describe('the demo', () => {
  it('stores, signs, fetches, refuses, moves, verifies and deletes, and leaves nothing but its report', () => {
    const { status, stdout, stderr, left } = demo()
    expect([status, stderr, left]).toEqual([0, '', [REPORT]])
    for (const said of [
      'photos/lake.jpg',
      'odd names/日本語/メモ 😀.txt',
      '12 of 12 came back byte for byte',
      'refused with 403 bad-signature: a signature with one letter changed',
      'refused with 403 expired',
      'refused with 413 too-large',
      'planned: 12 objects, ',
      'killed with SIGKILL: the manifest has 6 of 12 as copied',
      'run again: 6 copied, and none of the 6 a second time',
      'verified, both sides read in full: 12 of 12 match',
      `the report, as a page to look at: `,
      'local storage: 12 deleted, the list is empty',
      'on the disk: no file is left',
      "STOWAGE_DEMO_TARGET='s3://",
    ])
      expect(stdout).toContain(said)
  })

  it('finds by records, recovers from a kill, collects an orphan', () => {
    const { status, stdout, stderr } = demo()
    expect([status, stderr]).toEqual([0, ''])
    const said = (row: RegExp) => expect(stdout.replace(/ +/g, ' ')).toMatch(row)
    said(/{ contentType: 'image\/\*' } 2 \S+ kB documents\/drawing.svg, photos\/lake.jpg/)
    said(/{ metadata: { folder: 'photos' } } 1 \S+ kB photos\/lake.jpg/)
    said(/killed with SIGKILL: it had hidden photos\/lake.jpg/)
    said(/killed not found on the disk 1\n recovered not found gone 0/)
    said(/audit\(\) finds default\/left-behind\.[0-9a-z]{26}\.txt/)
    said(/collect\(\) leaves it/)
    said(/1 of 13 objects is more than the 1 % that collect\(\) dares/)
    said(/another day later nothing of it is left, and audit\(\) finds nothing/)
  })

  it('ends with the URLs of its photos, and says how to start the example with images', () => {
    const { status, stdout, stderr } = demo()
    expect([status, stderr]).toEqual([0, ''])
    const end = stdout.slice(stdout.indexOf('The photos, as a page shows them'))
    for (const said of [
      /^ {13}photos\/lake\.jpg$/m,
      /^ {2}url {8}http:\S+\/files\/default\/photos\/lake\.[0-9a-z]{26}\.jpg\?\S+$/m,
      /^ {2}originUrl {2}http:\S+\/plain\/local\S+@webp$/m,
      /^ {2}thumbUrl {3}http:\S+\/rs:fit:400:0\/plain\/local\S+@webp$/m,
      /^ {2}blurUrl {4}http:\S+\/rs:fit:20:0\/bl:5\/plain\/local\S+@webp$/m,
      /^ {2}blurhash {3}\S{36}$/m,
      /^ {2}width {6}1600\n {2}height {5}1066$/m,
      /asked again: 1 photo, the same URLs byte for byte/,
      /thumbUrl is image\/webp, \d+ bytes/,
      /npm run example:images\n$/,
    ])
      expect(end).toMatch(said)
  })

  it('runs without sharp, and says what is not known then', () => {
    const hook = `export const resolve = (name, context, next) => name === 'sharp' ? Promise.reject(Object.assign(new Error(), { code: 'ERR_MODULE_NOT_FOUND' })) : next(name, context)`
    const register = `import { register } from 'node:module'; register(${JSON.stringify(moduleOf(hook))})`
    const { status, stdout, stderr } = demo([], { NODE_OPTIONS: `--import ${moduleOf(register)}` })
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toContain('sharp is not installed, so width, height and blurhash are unknown')
    expect(stdout).toMatch(/width {6}null\n {2}height {5}null/)
    expect(stdout).toMatch(/npm run example:images\n$/)
  })

  it('takes a folder and another target', () => {
    const own = mkdtempSync(join(folder, 'own-'))
    writeFileSync(join(own, 'one.txt'), 'one')
    const target = mkdtempSync(join(folder, 'target-'))
    const { status, stdout, stderr } = demo([own], { STOWAGE_DEMO_TARGET: `file:${target}` })
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toContain(`file:${target}: 1 deleted, the list is empty`)
    expect(readdirSync(target).filter(name => !name.startsWith('.'))).toEqual([])
  })

  it('says nothing of copies where none was made', () => {
    const target = mkdtempSync(join(folder, 'target-'))
    writeFileSync(join(target, 'taken'), '')
    const { status, stdout } = demo([], { STOWAGE_DEMO_TARGET: `file:${join(target, 'taken')}` })
    expect(status).toBe(1)
    expect(stdout).not.toContain('copied')
  })

  it('names a folder that is not there', () => {
    expect(demo(['no-such-folder'])).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(/^\ndemo: there is no folder \S+no-such-folder\n$/),
    })
  })

  it('ends in silence where its reader goes away', () => {
    const { stderr } = spawnSync('sh', ['-c', `"${process.execPath}" examples/demo/demo.js | head -1`], {
      cwd: root,
      encoding: 'utf8',
    })
    expect(stderr).toBe('')
  })

  it('fails in one line and leaves nothing behind', () => {
    const { status, stderr, left } = demo([], { STOWAGE_DEMO_TARGET: 's3:' })
    expect([status, left]).toEqual([1, []])
    expect(stderr.trim()).toMatch(/^demo: open: name the bucket/)
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })
})

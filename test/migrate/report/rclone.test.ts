import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { local } from '../../../src/adapters/local/index.ts'
import { reportCombined } from '../../../src/migrate/report/report-combined.ts'
import { describeWithTool } from '../../support/describe-with-tool.ts'
import { migrated } from '../verify/migrated.ts'

const SOURCE = {
  'a.txt': 'one',
  'b/c.txt': 'two',
  'b/ä "quoted" <d>.txt': 'three',
  'b/changed.txt': 'same length',
  'b/longer.txt': 'four',
  'b/lost.txt': 'five',
  'e 1.txt': '',
}

/** Signs and keys, in one order: rclone looks at several at once. */
function inOrder(lines: string): string[] {
  return lines.trimEnd().split('\n').sort()
}

describeWithTool('rclone', 'the combined report', rclone => {
  test('is that of rclone check --combined for the same two folders', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'stowage-rclone-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const [source, destination] = [join(folder, 'source'), join(folder, 'destination')]
    const { from, verify, manifest } = await migrated(SOURCE, {
      from: local({ root: source }),
      to: local({ root: destination }),
    })
    await writeFile(join(destination, 'b/changed.txt'), 'same LENGTH')
    await writeFile(join(destination, 'b/longer.txt'), 'four and more')
    await rm(join(destination, 'b/lost.txt'))
    await mkdir(dirname(join(destination, 'f/extra.txt')), { recursive: true })
    await writeFile(join(destination, 'f/extra.txt'), 'extra')
    await from.upload('g/new.txt', 'new')
    expect((await verify({ level: 'content' })).complete).toBe(false)
    let ours = ''
    for await (const line of reportCombined(manifest)) ours += line

    const args = ['check', source, destination, '--combined', '-', '--exclude', '/.stowage/**']
    const config = ['--config', join(folder, 'rclone.conf'), '--log-level', 'ERROR']
    // It ends with 1 where something differs.
    const theirs = await promisify(execFile)(rclone, [...args, ...config]).catch(failure => failure)
    expect(theirs.code).toBe(1)
    expect(inOrder(ours)).toEqual(inOrder(theirs.stdout))
    expect(inOrder(ours).map(line => line[0])).toEqual(['*', '*', '+', '+', '-', '=', '=', '=', '='])
  }, 60_000)
})

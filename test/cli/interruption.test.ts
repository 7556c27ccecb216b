import { once } from 'node:events'
import { watch } from 'node:fs'
import { mkdir, readdir, truncate, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { finished, theProgram } from './program-process.ts'

const { run, start, at } = theProgram()

/** Every file below a folder, but for those that a store keeps of its own. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter(entry => entry.isFile()).map(entry => entry.name)
}

describe('Ctrl-C', () => {
  it('in the middle of a put leaves what was stored before, and no piece', async () => {
    await run(['put', '-', 'file:./put', 'a.bin'], { stdin: 'before' })
    const before = (await filesBelow(at('put'))).length
    const child = start(['put', '-', 'file:./put', 'a.bin'])
    const end = finished(child)
    // More than pipes hold: when it has been taken, the program is reading.
    await new Promise(resolve => child.stdin.write(Buffer.alloc(4_000_000), resolve))
    child.kill('SIGINT')
    expect(await end).toEqual({ code: 130, stdout: '', stderr: '' })
    expect((await run(['cat', 'file:./put', 'a.bin'])).stdout).toBe('before')
    expect(await filesBelow(at('put'))).toHaveLength(before)
  })

  it('in the middle of a get leaves the file as it was, and no piece', async () => {
    // A file of zeros that takes no room: long enough to be interrupted, and never read to its end.
    await mkdir(at('get'))
    await writeFile(at('get/big.bin'), '')
    await truncate(at('get/big.bin'), 8 * 2 ** 30)
    await mkdir(at('out'))
    await writeFile(at('out/big.bin'), 'before')
    const watcher = watch(at('out'))
    const child = start(['get', 'file:./get', 'big.bin', 'out'])
    const end = finished(child)
    const [, name] = await once(watcher, 'change')
    watcher.close()
    expect(name).toMatch(/\.part$/)
    child.kill('SIGINT')
    expect(await end).toEqual({ code: 130, stdout: '', stderr: '' })
    expect(await readdir(at('out'))).toEqual(['big.bin'])
  })

  it('ends a server with 0', async () => {
    const child = start(['serve', 'file:./served', '--port', '0', '-q'])
    const end = finished(child)
    await once(child.stdout, 'data')
    child.kill('SIGINT')
    expect((await end).code).toBe(0)
  })
})

describe('a reader that goes away', () => {
  it('ends the program without a word', async () => {
    await mkdir(at('pipe'))
    await writeFile(at('pipe/big.bin'), Buffer.alloc(2_000_000))
    const child = start(['cat', 'file:./pipe', 'big.bin'])
    const stderr: Buffer[] = []
    child.stderr.on('data', chunk => stderr.push(chunk))
    await once(child.stdout, 'data')
    child.stdout.destroy()
    const [code] = await once(child, 'close')
    expect([code, Buffer.concat(stderr).toString()]).toEqual([141, ''])
  })
})

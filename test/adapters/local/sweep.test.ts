import { unlink, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { Folders } from '../../../src/adapters/local/folders.ts'
import { KeyLocks } from '../../../src/adapters/local/key-lock.ts'
import { KeyPaths } from '../../../src/adapters/local/key-path.ts'
import { ObjectFiles } from '../../../src/adapters/local/object-files.ts'
import { Sidecars } from '../../../src/adapters/local/sidecar.ts'
import { sweep } from '../../../src/adapters/local/sweep.ts'
import { Workspace } from '../../../src/adapters/local/workspace.ts'
import { PROCESS_OWNER } from '../../../src/core/process-owner.ts'
import { theRoot } from './a-root.ts'

const HOUR = 3_600_000
/** A process of this machine before it was started again. */
const ENDED = PROCESS_OWNER.replace(/^([^-]+)-[^-]+/, '$1-00000000')
const ELSEWHERE = PROCESS_OWNER.replace(/^[^-]+/, '00000000')

describe('a sweep', () => {
  const root = theRoot()

  async function run(laterMs: number, random = 0) {
    const workspace = new Workspace(await root.path())
    const sidecars = new Sidecars(workspace.meta, key => key)
    const files = new ObjectFiles(new KeyPaths(), new Folders(workspace.root, false), sidecars)
    const locks = new KeyLocks(workspace.locks)
    await sweep({ workspace, sidecars, files, locks, now: () => Date.now() + laterMs, random: () => random })
  }

  it('removes temporary files of ended processes at once, and those of other machines after a day', async () => {
    const files = await root.files()
    await files.upload('a', 'x')
    const names = [PROCESS_OWNER, ENDED, ELSEWHERE].map((owner, i) => `${owner}.${i}.${'0'.repeat(40)}`)
    for (const name of names) await writeFile(await root.path('.stowage', 'tmp', name), 'half')
    await run(0)
    expect((await root.own()).tmp.sort()).toEqual([names[0], names[2]].sort())
    await run(25 * HOUR)
    expect((await root.own()).tmp).toEqual([names[0]])
  })

  it('removes attributes without their file after an hour, and no others', async () => {
    const files = await root.files()
    const kept = await files.upload('kept', 'x', { metadata: { v: '1' } })
    await files.upload('orphaned', 'x')
    await unlink(await root.path('orphaned'))
    // A sweep looks at one part of the attributes: there are at most two here, the first and the last.
    const everyPart = async (laterMs: number) => {
      for (const random of [0, 0.99]) await run(laterMs, random)
    }
    await everyPart(0)
    expect((await root.own()).meta).toHaveLength(2)
    await everyPart(2 * HOUR)
    expect((await root.own()).meta).toHaveLength(1)
    expect(await files.info('kept')).toEqual(kept)
  })
})

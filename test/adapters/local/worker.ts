/** What the tests run in processes of their own: `node worker.js <job> <root> <argument>`. Answers with one line of JSON. */

import { local } from '../../../src/adapters/local/index.ts'
import { LocalDriver } from '../../../src/adapters/local/local-driver.ts'
import { defineProvider } from '../../../src/core/define-provider.ts'
import { isStorageError } from '../../../src/core/errors.ts'

const [job, root, argument = ''] = process.argv.slice(2) as [string, string, string?]
const files = local({ root, durability: 'process' })

const jobs: Record<string, () => Promise<unknown>> = {
  /** Creates as many keys as it can of those that others create, too. */
  async create() {
    const won: string[] = []
    for (let i = 0; i < Number(argument); i++) {
      const key = `shared/${i}`
      try {
        await files.upload(key, String(process.pid), { ifNoneMatch: '*' })
        won.push(key)
      } catch (error) {
        if (!isStorageError(error, 'already-exists')) throw error
      }
    }
    return { pid: process.pid, won }
  },

  /** Adds one so many times, by comparing and setting. */
  async count() {
    for (let added = 0; added < Number(argument); ) {
      const { info, text } = await (async () => {
        const download = await files.download('counter')
        return { info: download.info, text: await download.text() }
      })()
      try {
        await files.upload('counter', String(Number(text) + 1), { ifMatch: info.etag! })
        added++
      } catch (error) {
        if (!isStorageError(error, 'precondition-failed')) throw error
      }
    }
    return { done: true }
  },

  /** Writes, deletes and moves one key, the bytes always saying what the metadata says. */
  async churn() {
    for (let i = 0; i < Number(argument); i++) {
      const tag = `${process.pid}-${i}`
      const body = tag.padEnd(20 + (i % 3) * 1000, '.')
      if (i % 7 === 6) await files.delete('churned')
      else if (i % 7 === 5) {
        await files.upload(`from-${process.pid}`, body, { metadata: { tag } })
        await files.move(`from-${process.pid}`, 'churned')
      } else await files.upload('churned', body, { metadata: { tag } })
    }
    return { done: true }
  },

  /** Does what `change` says and kills itself at a step of it. */
  async die() {
    const { change, step } = JSON.parse(argument) as { change: string; step: string }
    const doomed = defineProvider(
      new LocalDriver({ root, durability: 'process' }, at => {
        if (at === step) process.kill(process.pid, 'SIGKILL')
      }),
    )
    if (change === 'upload') await doomed.upload('k/object', 'new bytes', { metadata: { v: 'new' } })
    if (change === 'create')
      await doomed.upload('k/object', 'new bytes', { metadata: { v: 'new' }, ifNoneMatch: '*' })
    if (change === 'child') await doomed.upload('k/object/child', 'new bytes', { metadata: { v: 'new' } })
    if (change === 'copy') await doomed.copy('other', 'k/object', { metadata: { v: 'new' } })
    if (change === 'move') await doomed.move('other', 'k/object', { metadata: { v: 'new' } })
    if (change === 'delete') await doomed.delete('k/object')
    return { reached: false }
  },

  /** Writes so many bytes and says what came of it. */
  async large() {
    const { code, message } = await files
      .upload('k/object', Buffer.alloc(Number(argument)))
      .catch(error => error)
    return { code, message }
  },

  /** Writes until it is killed. */
  async write() {
    for (let i = 0; ; i++) {
      await files.upload('k/object', `new bytes ${i}`.padEnd(100_000), { metadata: { v: `${i}` } })
      await files.delete('k/other')
      await files.upload('k/other', `other ${i}`, { metadata: { v: `${i}` } })
    }
  },
}

const answer = await jobs[job]!()
console.log(JSON.stringify(answer))
await files.close()

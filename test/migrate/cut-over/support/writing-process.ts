/** A process of an application: it writes and deletes files through a cut-over, says so, and ends only when it is killed. */
import { setTimeout as wait } from 'node:timers/promises'
import { local } from '../../../../src/adapters/local/index.ts'
import { cutOver } from '../../../../src/migrate/cut-over/cut-over.ts'
import { withRecords } from '../../../../src/records/index.ts'
import { sqlite } from '../../../../src/sql/sqlite/index.ts'

export interface WritingTask {
  readonly name: string
  readonly from: string
  readonly to: string
  readonly database: string
}

const { name, from, to, database } = JSON.parse(process.argv[2]!) as WritingTask
const engine = sqlite({ path: database })
const store = cutOver({
  from: local({ root: from }),
  to: local({ root: to }),
  engine,
  beatMs: 100,
  leaseMs: 2_000,
  secondMs: 1_000,
})
const files = withRecords(store, engine, { env: {}, replaceGraceMs: 0 })
const say = (word: string, key: string) => process.stdout.write(`${word} ${key}\n`)

for (let number = 0; ; number++) {
  const key = `${name}/${number}.txt`
  try {
    await files.upload(key, key, { contentType: 'text/plain' })
    say('stored', key)
    if (number % 3 === 2) {
      const old = `${name}/${number - 1}.txt`
      say('deleting', old)
      await files.delete(old)
      say('deleted', old)
    }
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    if (code !== 'unavailable' && code !== 'pending') say('failed', `${key} ${code} ${message}`)
  }
  await wait(10)
}

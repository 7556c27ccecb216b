/** What the engine says where a server's answer was lost and the next one helps no further. */
import { expect, test } from 'vitest'
import { postgres } from '../../src/sql/postgres/index.ts'
import { hasCode } from '../support/has-code.ts'

/** A pool whose first connection breaks at COMMIT; whatever comes later is answered by `later`. */
function poolThatBreaks(later: (sql: string) => void) {
  let connections = 0
  return {
    totalCount: 1,
    query() {},
    async connect() {
      const isFirst = ++connections === 1
      return {
        on() {},
        removeListener() {},
        release() {},
        async query({ text }: { text: string }) {
          if (isFirst && text === 'COMMIT') throw new Error('Connection terminated unexpectedly')
          if (!isFirst) later(text)
          return { rows: [], fields: [], rowCount: /^(INSERT|UPDATE)/.test(text) ? 1 : 0 }
        },
      }
    },
  }
}

test.each([
  ['a lock that was not had in time', '55P03'],
  ['a standby', '25006'],
  ['too many connections', '53300'],
])('a batch that may be under way still is pending after %s', async (_, code) => {
  const client = poolThatBreaks(sql => {
    // Nobody has seen the id yet; that says nothing of the first connection's transaction.
    if (!sql.startsWith('SELECT state')) throw Object.assign(new Error('no'), { code, severity: 'ERROR' })
  })
  const engine = postgres({ client: client as never })
  const batch = engine.batch([['UPDATE rows SET v = 1']], { id: 'once' })
  await expect(batch).rejects.toSatisfy(hasCode('pending'))
})

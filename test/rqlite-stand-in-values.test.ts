/** What the stand-in for rqlite does beyond the recordings: values to the last bit. */
import { describe, expect, it } from 'vitest'
import { ask, JSON_BODY, standIn } from './support/stand-in.ts'

const { started } = standIn()

describe('values', () => {
  it('gives text with NUL back whole, from a table, from RETURNING and through a backup', async () => {
    const { nodes } = await started()
    const text = 'a\0b\u{1f600}é'
    const statement = [
      'INSERT INTO t(s) VALUES(?) RETURNING *, s AS alias, s || ? bare, length(s)',
      text,
      '\0!',
    ]
    const { results } = await ask(nodes[0], '/db/execute', [statement])
    expect(results[0].values).toEqual([[1, text, text, `${text}\0!`, 1]])
    expect(results[0].columns).toEqual(['id', 's', 'alias', 'bare', 'length(s)'])
    const file = Buffer.from(await (await fetch(`${nodes[0].url}/db/backup`)).arrayBuffer())
    await ask(nodes[0], '/db/execute', ['DELETE FROM t'])
    await fetch(`${nodes[0].url}/db/load`, { method: 'POST', body: file })
    const read = await ask(nodes[0], '/db/query', ['SELECT s FROM t'])
    expect(read.results[0].values).toEqual([[text]])
  })

  it('keeps every integer of 64 bits, and makes a REAL of what is larger', async () => {
    const { nodes } = await started()
    const url = `${nodes[0].url}/db/execute`
    const body =
      '[["INSERT INTO t(id, s) VALUES(?, ?) RETURNING id, s",-9223372036854775808,9223372036854775808]]'
    const text = await (await fetch(url, { method: 'POST', headers: JSON_BODY, body })).text()
    expect(text).toContain('"values":[[-9223372036854775808,9223372036854776000]]')
  })

  it('refuses JSON that only begins well', async () => {
    const { nodes } = await started()
    for (const body of ['["SELECT 1"', '["SELECT \\x"]', '[["SELECT ?",{"a":}]]', ''])
      expect(
        (await fetch(`${nodes[0].url}/db/query`, { method: 'POST', headers: JSON_BODY, body })).status,
        body,
      ).toBe(400)
  })

  it('gives an empty result for a comment, and none for an empty string', async () => {
    const { nodes } = await started()
    const { results } = await ask(nodes[0], '/db/request', ['-- nothing', '', ' ', 'SELECT 1 AS one -- one'])
    expect(results).toEqual([{}, {}, { columns: ['one'], types: ['integer'], values: [[1]] }])
  })

  it('takes a comment behind the last semicolon for the last statement', async () => {
    const { nodes } = await started()
    const { results } = await ask(nodes[0], '/db/execute', [
      'INSERT INTO t(s) VALUES(1);-- done',
      'SELECT 1; ',
    ])
    expect(results).toEqual([{}, { last_insert_id: 1, rows_affected: 1 }])
    expect((await ask(nodes[0], '/db/query', ['SELECT 1; -- one'])).results).toEqual([{}])
  })

  it('runs only the last of several statements where the first has RETURNING', async () => {
    const { nodes } = await started()
    const { results } = await ask(nodes[0], '/db/execute', [
      "INSERT INTO t(s) VALUES('lost') RETURNING id; INSERT INTO t(s) VALUES('kept')",
    ])
    expect(results).toEqual([{}])
    const read = await ask(nodes[0], '/db/query', ['SELECT s FROM t'])
    expect(read.results[0].values).toEqual([['kept']])
  })

  it('puts random values and the time into the log, unless a flag says otherwise', async () => {
    const { server, nodes } = await started({ now: () => Date.UTC(2024, 0, 2, 3, 4, 5) })
    const statement = "INSERT INTO t(s) VALUES(hex(randomblob(8)) || random() || datetime('now'))"
    await ask(nodes[0], '/db/execute', [statement])
    await ask(nodes[0], '/db/execute?norwrandom', [statement])
    server.settle()
    const reads = nodes.map(node => ask(node, '/db/query?level=none', ['SELECT s FROM t ORDER BY id']))
    const [first, second] = [0, 1].map(
      index => async () => new Set((await Promise.all(reads)).map(read => read.results[0].values[index][0])),
    )
    expect(await first?.()).toHaveProperty('size', 1)
    expect(await second?.()).toHaveProperty('size', 3)
    for (const text of (await first?.()) ?? []) expect(text).toMatch(/2024-01-02 03:04:05$/)
  })

  it('enforces foreign keys only where it is told to', async () => {
    const statements = ['CREATE TABLE c(p REFERENCES t(id))', 'INSERT INTO c VALUES(7)']
    const without = await started()
    const loose = await ask(without.nodes[0], '/db/execute', statements)
    expect(loose.results[1].rows_affected).toBe(1)
    await without.server.stop()
    const { nodes } = await started({ foreignKeys: true })
    const strict = await ask(nodes[0], '/db/execute', statements)
    expect(strict.results[1]).toEqual({ error: 'FOREIGN KEY constraint failed' })
  })
})

/** What a client of rqlite must know, a test each. */
import { describe, expect, test } from 'vitest'
import { HELD } from '../../../src/sql/engine.ts'
import { hasCode } from '../../support/has-code.ts'
import { isExecute, isQuery, standing } from './standing.ts'

const cluster = standing()

describe('rqlite: 200 is no success', () => {
  test('fails with the error of one statement', async () => {
    const engine = cluster.client()
    await expect(engine.batch([['INSERT INTO nowhere (k) VALUES (1)']])).rejects.toSatisfy(
      hasCode('invalid-argument'),
    )
    await expect(engine.query(['SELECT k FROM nowhere'])).rejects.toThrow(/no such table: nowhere/)
  })

  test.each([
    'connection refused',
    'not leader',
    'read protobuf length: i/o timeout',
    'leadership lost while committing log',
  ])('takes `%s` beside no results for an unknown outcome', async error => {
    const engine = cluster.client()
    const name = cluster.table()
    await engine.batch([[`CREATE TABLE ${name} (k TEXT)`]])
    cluster.faults.onRequest = request =>
      isExecute(request) ? { status: 200, body: JSON.stringify({ results: [], error }) } : 'serve'
    await expect(engine.batch([[`INSERT INTO ${name} (k) VALUES (?)`, 'a']])).rejects.toSatisfy(
      hasCode('pending'),
    )
  })

  test('reads again where a node says `stale read`', async () => {
    const engine = cluster.client({ freshnessMs: 1000 })
    let asked = 0
    cluster.faults.onRequest = ({ target }) => {
      if (!target.startsWith('/db/query')) return 'serve'
      expect(target).toContain('freshness=1000ms')
      return asked++ === 0 ? { status: 200, body: '{"results":[],"error":"stale read"}' } : 'serve'
    }
    expect(await engine.query(['SELECT 1 AS one'], { consistency: 'stale' })).toEqual([{ one: 1n }])
    expect(asked).toBe(2)
  })

  test('takes fewer results than statements for an unknown outcome', async () => {
    const engine = cluster.client()
    cluster.faults.onRequest = request =>
      isExecute(request) ? { status: 200, body: '{"results":[{}]}' } : 'serve'
    await expect(engine.batch([['DELETE FROM a'], ['DELETE FROM b']])).rejects.toSatisfy(hasCode('pending'))
  })

  test('takes an answer that is no JSON for an unknown outcome', async () => {
    const engine = cluster.client()
    cluster.faults.onRequest = request => (isExecute(request) ? { status: 200, body: '<html>' } : 'serve')
    await expect(engine.batch([['DELETE FROM a']])).rejects.toSatisfy(hasCode('pending'))
  })
})

describe('rqlite: writes are never forwarded', () => {
  test('writes one row where followers would send twice what they forward', async () => {
    const name = cluster.table()
    await cluster.client().batch([[`CREATE TABLE ${name} (k TEXT)`]])
    cluster.faults.forwardedWrites = 'twice'
    const leader = await cluster.cluster.leader()
    for (const { url } of cluster.cluster.nodes.filter(node => node.id !== leader!.id)) {
      await cluster.client({ url }).batch([[`INSERT INTO ${name} (k) VALUES (?)`, url]])
    }
    expect(await cluster.client().query([`SELECT COUNT(*) AS n FROM ${name}`])).toEqual([{ n: 2n }])
  })

  test('asks for a redirect and for no retries, and remembers who leads', async () => {
    const leader = await cluster.cluster.leader()
    const follower = cluster.cluster.nodes.find(node => node.id !== leader!.id)!
    const engine = cluster.client({ url: follower.url })
    const name = cluster.table()
    await engine.batch([[`CREATE TABLE ${name} (k TEXT)`]])
    await engine.batch([[`INSERT INTO ${name} (k) VALUES (?)`, 'a']], { id: `${name}-1` })
    const writes = cluster.heard.filter(isExecute)
    expect(writes.map(({ node }) => node).slice(0, 3)).toEqual([follower.id, leader!.id, leader!.id])
    for (const { target } of writes) {
      const flags = new URL(target, 'http://a').searchParams
      expect(flags.has('redirect') && flags.has('transaction')).toBe(true)
      expect(flags.has('retries') || flags.has('queue') || flags.has('wait')).toBe(false)
    }
  })
})

describe('rqlite: all or nothing', () => {
  test.each([
    ['a syntax error', 'INSERT INTO'],
    ['an unknown table', 'DELETE FROM nowhere'],
  ])('commits nothing beside %s, also where the batch reads', async (_, broken) => {
    const engine = cluster.client()
    const name = cluster.table()
    await engine.batch([[`CREATE TABLE ${name} (k TEXT)`]])
    const insert = `INSERT INTO ${name} (k) VALUES (?)`
    const batch = engine.batch([[insert, 'a'], [`SELECT k FROM ${name}`], [broken], [insert, 'b']])
    await expect(batch).rejects.toSatisfy(hasCode('invalid-argument'))
    expect(await engine.query([`SELECT k FROM ${name}`])).toEqual([])
    expect(cluster.heard.some(({ target }) => target.startsWith('/db/request'))).toBe(false)
  })
})

describe("rqlite: text that looks like x'41'", () => {
  test.each([
    "x'41'",
    "X'41'",
    " x'41' ",
    "\tX'4142'\n",
    "x''",
    "\u0085x'aF'\u00a0",
    "x'4'",
    "_x'41'",
    "x'41' ",
  ])('keeps %j as text, in a value and in a condition', async text => {
    const engine = cluster.client()
    const name = cluster.table()
    await engine.batch([[`CREATE TABLE ${name} (k TEXT, v TEXT)`]])
    await engine.batch([[`INSERT INTO ${name} (k, v) VALUES (?, ?) RETURNING v`, text, text]], {
      id: `${name}-${text}`,
    })
    const rows = await engine.query([
      `SELECT v, typeof(v) AS type, '?' AS mark FROM ${name} WHERE k = ? -- ?`,
      text,
    ])
    expect(rows).toEqual([{ v: text, type: 'text', mark: '?' }])
  })
})

describe('rqlite: BLOBs', () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte)

  test.each([
    ['a column declared BLOB', 'SELECT b AS v FROM t'],
    ['an untyped column', 'SELECT u AS v FROM t'],
    ['a column declared TEXT', 'SELECT s AS v FROM t'],
    ['a column declared INTEGER', 'SELECT i AS v FROM t'],
    ['a column declared CHARACTER(20)', 'SELECT c AS v FROM t'],
    ['a column declared DATETIME', 'SELECT d AS v FROM t'],
    ['an expression', 'SELECT coalesce(b, u) AS v FROM t'],
    ['an aggregate', 'SELECT max(b) AS v FROM t'],
    ['a subquery', 'SELECT (SELECT b FROM t) AS v'],
    ['a literal', `SELECT x'${Buffer.from(bytes).toString('hex')}' AS v`],
    ['a compound', 'SELECT b AS v FROM t UNION SELECT u FROM t'],
  ])('come whole out of %s', async (_, sql) => {
    const engine = cluster.client()
    const name = cluster.table()
    await engine.batch([
      [`CREATE TABLE ${name} (b BLOB, u, s TEXT, i INTEGER, c CHARACTER(20), d DATETIME)`],
      [
        `INSERT INTO ${name} (b, u, s, i, c, d) VALUES (?, ?, ?, ?, ?, ?)`,
        bytes,
        bytes,
        bytes,
        bytes,
        bytes,
        bytes,
      ],
    ])
    const ask = sql.replaceAll('FROM t', `FROM ${name}`)
    for (let times = 0; times < 2; times++) expect(await engine.query([ask])).toEqual([{ v: bytes }])
  })

  test('are told from text in one column, and from other numbers', async () => {
    const engine = cluster.client()
    const name = cluster.table()
    const values = ['QUI=', new Uint8Array([65, 66]), 1n, 1, null, '', new Uint8Array(), 2n ** 60n, 1e20]
    await engine.batch([
      [`CREATE TABLE ${name} (n INTEGER PRIMARY KEY, v BLOB)`],
      ...values.map(value => [`INSERT INTO ${name} (v) VALUES (?)`, value] as const),
    ])
    const rows = await engine.query([`SELECT v, v AS again, +v AS plus FROM ${name} ORDER BY n`])
    expect(rows).toEqual(values.map(value => ({ v: value, again: value, plus: value })))
  })
})

describe('rqlite: values that its JSON would blur', () => {
  test('keep their own type in each row, whatever the first one has', async () => {
    const engine = cluster.client()
    const name = cluster.table()
    const values = [
      1n,
      1,
      -0,
      'a',
      null,
      2n ** 63n - 1n,
      -(2n ** 63n),
      -(2 ** 63),
      1e20,
      1e21,
      1.5,
      'AB==',
      new Uint8Array([1]),
    ]
    await engine.batch([
      [`CREATE TABLE ${name} (n INTEGER PRIMARY KEY, v)`],
      ...values.map(value => [`INSERT INTO ${name} (v) VALUES (?)`, value] as const),
    ])
    for (const order of ['n', 'n DESC']) {
      const rows = await engine.query([`SELECT v, +v AS plus FROM ${name} ORDER BY ${order}`])
      const expected = values.map(value => ({ v: value, plus: value }))
      expect(rows).toEqual(order === 'n' ? expected : expected.reverse())
    }
  })

  test('are not rewritten in columns of dates and booleans', async () => {
    const engine = cluster.client()
    const name = cluster.table()
    await engine.batch([
      [`CREATE TABLE ${name} (b BOOLEAN, d DATETIME, t TIMESTAMP, e DATE)`],
      [`INSERT INTO ${name} VALUES (?, ?, ?, ?)`, 5n, 'not a date', 1704164645123n, ''],
    ])
    expect(await engine.query([`SELECT * FROM ${name}`])).toEqual([
      { b: 5n, d: 'not a date', t: 1704164645123n, e: '' },
    ])
  })

  test('are refused where an answer holds infinity, with a sentence', async () => {
    const engine = cluster.client()
    await expect(engine.query(['SELECT 9e999 AS v'])).rejects.toThrow(/infinite number/)
  })

  test('follow a schema that changes', async () => {
    const engine = cluster.client()
    const name = cluster.table()
    const all = [`SELECT * FROM ${name}`] as const
    await engine.batch([
      [`CREATE TABLE ${name} (a TEXT, b BLOB)`],
      [`INSERT INTO ${name} VALUES ('a', x'00')`],
    ])
    expect(await engine.query(all)).toEqual([{ a: 'a', b: new Uint8Array([0]) }])
    await engine.batch([[`ALTER TABLE ${name} RENAME COLUMN a TO c`]])
    expect(await engine.query(all)).toEqual([{ c: 'a', b: new Uint8Array([0]) }])
    await engine.batch([
      [`ALTER TABLE ${name} DROP COLUMN b`],
      [`ALTER TABLE ${name} ADD COLUMN d REAL DEFAULT 1`],
    ])
    expect(await engine.query(all)).toEqual([{ c: 'a', d: 1 }])
  })

  test('come after a look at the schema where it decides about the columns, or names would be those of before', async () => {
    const engine = cluster.client()
    const name = cluster.table()
    await engine.batch([[`CREATE TABLE ${name} (a TEXT)`]])
    cluster.heard.length = 0
    for (let times = 0; times < 2; times++) await engine.query([`SELECT * FROM ${name}`])
    const bodies = cluster.heard.filter(isQuery).map(({ body }) => JSON.parse(body.toString()))
    expect(bodies.map(([first]) => first[0])).toEqual(bodies.map(() => 'SELECT 1 FROM sqlite_master LIMIT 0'))
  })

  test('come under the name of their column, whatever it is', async () => {
    const engine = cluster.client()
    const [row] = await engine.query(["SELECT 1 AS __proto__, 2 AS 'x y', 3 AS constructor"])
    expect(Object.entries(row!)).toEqual([
      ['__proto__', 1n],
      ['x y', 2n],
      ['constructor', 3n],
    ])
  })
})

test('rqlite: refuses in a batch what each node would compute for itself', async () => {
  const engine = cluster.client()
  for (const sql of ['INSERT INTO a VALUES (random())', "INSERT INTO a VALUES (datetime('now'))"])
    await expect(engine.batch([[sql]])).rejects.toThrow(/give the value as a parameter/)
  expect(await engine.query(["SELECT typeof(datetime('now')) AS t"])).toEqual([{ t: 'text' }])
})

describe('rqlite: leadership lost', () => {
  test.each(['applied', 'lost'] as const)('happens once with an id, whether it was %s', async fate => {
    const engine = cluster.client()
    const name = cluster.table()
    await engine.batch([[`CREATE TABLE ${name} (k TEXT)`]], { id: `${name}-0` })
    cluster.faults.loseLeadership = fate
    const result = await engine.batch([[`INSERT INTO ${name} (k) VALUES (?)`, 'a']], { id: `${name}-1` })
    expect(result.applied).toBe(true)
    expect(await engine.query([`SELECT COUNT(*) AS n FROM ${name}`])).toEqual([{ n: 1n }])
    expect(await engine.outcome(`${name}-1`)).toBe(true)
  })

  test('is pending without an id', async () => {
    const engine = cluster.client()
    const name = cluster.table()
    await engine.batch([[`CREATE TABLE ${name} (k TEXT)`]])
    cluster.faults.loseLeadership = 'applied'
    await expect(engine.batch([[`INSERT INTO ${name} (k) VALUES (?)`, 'a']])).rejects.toSatisfy(
      hasCode('pending'),
    )
  })

  test.each(['abort', 'data'] as const)('tells a refused batch from a lost one (guard %s)', async guard => {
    const engine = cluster.client()
    const name = cluster.table()
    await engine.batch([[`CREATE TABLE ${name} (k TEXT)`]], { id: `${name}-0` })
    let lost = 0
    cluster.faults.onRequest = request => (isExecute(request) && lost++ === 0 ? 'drop-answer' : 'serve')
    const id = `${name}-1`
    const insert = `INSERT INTO ${name} (k) SELECT 'a' WHERE ${HELD}`
    const result = await engine.batch([[insert, id]], { id, guard, condition: ['SELECT 1 WHERE 1 = 0'] })
    expect(result).toEqual({ applied: false, results: undefined })
    expect(await engine.query([`SELECT k FROM ${name}`])).toEqual([])
  })

  test('takes the id of a batch that was refused after an answer was lost', async () => {
    const engine = cluster.client()
    const name = cluster.table()
    await engine.batch([
      [`CREATE TABLE ${name} (k TEXT PRIMARY KEY)`],
      [`INSERT INTO ${name} (k) VALUES ('a')`],
    ])
    await engine.batch([], { id: `${name}-0` })
    let lost = 0
    cluster.faults.onRequest = request => (isExecute(request) && lost++ === 0 ? 'drop' : 'serve')
    const id = `${name}-1`
    await expect(engine.batch([[`INSERT INTO ${name} (k) VALUES ('a')`]], { id })).rejects.toSatisfy(
      hasCode('conflict'),
    )
    expect(await engine.outcome(id)).toBe(false)
  })
})

test('rqlite: reads name their consistency, and never a queue', async () => {
  const engine = cluster.client()
  await engine.query(['SELECT 1 AS one'], { consistency: 'linearizable' })
  await engine.query(['SELECT 1 AS one'], { consistency: 'stale' })
  await engine.outcome('nobody')
  const levels = cluster.heard.filter(isQuery).map(({ target }) => /level=(\w+)/.exec(target)?.[1])
  expect(new Set(levels)).toEqual(new Set(['linearizable', 'none']))
})

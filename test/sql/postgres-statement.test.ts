import { describe, expect, test } from 'vitest'
import type { SqlValue, Statement } from '../../src/sql/engine.ts'
import { postgres } from '../../src/sql/postgres/index.ts'
import { toPgStatement } from '../../src/sql/postgres/pg-statement.ts'
import { decodeText, OID } from '../../src/sql/postgres/values.ts'
import { refused } from '../support/refused.ts'

describe('a statement for PostgreSQL', () => {
  test('numbers its parameters and says their types', () => {
    const values: SqlValue[] = [7n, -0, 'text', Uint8Array.of(1), null, 'more']
    expect(toPgStatement(['SELECT ?, ?, ?, ?, ?, ?;', ...values])).toEqual({
      sql: 'SELECT $1::int8, $2::float8, $3::text, $4::bytea, NULL, $5::text',
      parameters: ['7', '-0', 'text', Uint8Array.of(1), 'more'],
      kind: 'read',
      givesRows: true,
    })
  })

  test('is translated anew where the same text gets other types', () => {
    expect(toPgStatement(['SELECT ? AS v', 1n]).sql).toBe('SELECT $1::int8 AS v')
    expect(toPgStatement(['SELECT ? AS v', 'a']).sql).toBe('SELECT $1::text AS v')
    expect(toPgStatement(['SELECT ? AS v', 2n]).sql).toBe('SELECT $1::int8 AS v')
  })

  const UNTOUCHED = [
    `'it''s ?'`,
    `E'it\\'s ?'`,
    `"a ""? b"`,
    '$$ ? $x$ ? $$',
    '$tag$ ? $$ ? $tag$',
    '/* ? /* ? */ ? */ 1',
    '-- ?\n 1',
  ]
  test.each(UNTOUCHED)('has no parameter in %s', text => {
    expect(toPgStatement([`SELECT ${text}, ?`, 1n]).sql).toBe(`SELECT ${text}, $1::int8`)
  })

  test('is known by its word: also behind WITH, and where it returns rows', () => {
    const kinds = [
      'WITH a AS (SELECT 1) SELECT * FROM a',
      'WITH a AS (SELECT 1) DELETE FROM b',
      'DELETE FROM b RETURNING id',
      "UPDATE b SET v = 'RETURNING'",
      'INSERT INTO b SELECT (SELECT returning FROM c)',
      'create table b (id bigint)',
    ].map(sql => {
      const { kind, givesRows } = toPgStatement([sql])
      return [kind, givesRows]
    })
    expect(kinds).toEqual([
      ['read', true],
      ['write', false],
      ['write', true],
      ['write', false],
      ['write', false],
      ['schema', false],
    ])
  })

  test.each([
    ['SELECT 1; SELECT 2', /more than one statement/],
    ['SELECT $1', /numbers its parameters/],
    ['SELECT ?1', /numbers its parameters/],
    ['SELECT ?', /has 1 \?, and 0 parameters/],
    ['COMMIT', /begins with COMMIT/],
    ['SET search_path = public', /begins with SET/],
    ['-- nothing', /is empty/],
  ])('is refused: %s', (sql, problem) => {
    expect(() => toPgStatement([sql])).toThrow(refused(problem))
  })

  test('is refused with more parameters than every client sends; NULL is none', () => {
    const withParameters = (count: number): Statement => [
      `SELECT 1 WHERE 'a' IN (${Array(count + 1)
        .fill('?')
        .join()})`,
      null,
      ...Array<string>(count).fill('b'),
    ]
    expect(toPgStatement(withParameters(65_533)).parameters).toHaveLength(65_533)
    expect(() => toPgStatement(withParameters(65_534))).toThrow(
      refused(/has 65534 parameters, and PostgreSQL takes 65533 at most/),
    )
  })
})

test('values are read from every form that PostgreSQL writes', () => {
  const read = [
    decodeText(OID.bytea, '\\x00ff'),
    decodeText(OID.bytea, 'a\\\\b\\000\\377'),
    decodeText(OID.bool, 't'),
    decodeText(OID.numeric, '9223372036854775807'),
    decodeText(OID.numeric, '9223372036854775808'),
    decodeText(OID.numeric, '1.50'),
    decodeText(OID.float8, '-0'),
    decodeText(1184, '2026-01-02 03:04:05+00'),
  ]
  expect(read).toStrictEqual([
    Uint8Array.of(0, 255),
    Uint8Array.of(97, 92, 98, 0, 255),
    1n,
    9223372036854775807n,
    2 ** 63,
    1.5,
    -0,
    '2026-01-02 03:04:05+00',
  ])
})

test('options are checked where the engine is made, and the URL is never shown', () => {
  const make = (options: unknown) => () => postgres(options as never)
  expect(make({})).toThrow(refused(/give a client or a url/))
  expect(make({ url: 'mysql://user:secret@host/db' })).toThrow(
    refused(/^postgres: url must begin with postgres:/),
  )
  expect(make({ url: 'postgres://host/db', max: 0 })).toThrow(refused(/max must be a whole number/))
  expect(make({ url: 'postgres://host/db', statementTimeoutMs: 0 })).toThrow(refused(/statementTimeoutMs/))
  expect(make({ url: 'postgres://host/db', schema: '' })).toThrow(refused(/schema must be a name/))
  expect(make({ client: { query() {} } })).toThrow(refused(/client must be a pg.Pool/))
  expect(make({ client: {}, colour: 1 })).toThrow(refused(/unknown option 'colour'/))
})

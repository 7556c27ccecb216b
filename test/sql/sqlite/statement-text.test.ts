import { expect, test } from 'vitest'
import { readStatementText } from '../../../src/sql/sqlite/statement-text.ts'

test.each([
  ['SELECT 1', 'read', 0],
  ['  -- why\n /* and; how? */ select ?, ?', 'read', 2],
  ['VALUES (?)', 'read', 1],
  ['EXPLAIN QUERY PLAN DELETE FROM t', 'read', 0],
  ['INSERT INTO t VALUES (?, \'?\', "?", `?`, [?]) -- ?', 'write', 1],
  ["UPDATE t SET a = 'it''s ?; ', b = ?;", 'write', 1],
  ['REPLACE INTO t VALUES (?); ; -- the end', 'write', 1],
  ['DELETE FROM t', 'write', 0],
  ['WITH a AS (SELECT ?), b AS (VALUES (?)) SELECT * FROM a, b', 'read', 2],
  ['WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a', 'write', 0],
  ['WITH RECURSIVE a (n) AS (SELECT 1 UNION SELECT n + 1 FROM a) DELETE FROM t WHERE k IN a', 'write', 0],
  ['with "select" as (select 1) update t set a = 1', 'write', 0],
  ['CREATE TABLE t (a)', 'schema', 0],
  [
    'CREATE TRIGGER g AFTER INSERT ON t BEGIN DELETE FROM a; SELECT CASE WHEN 1 THEN 2 END; END;',
    'schema',
    0,
  ],
  ['SELECT a$b, é FROM t', 'read', 0],
] as const)('reads %s', (sql, kind, parameters) => {
  expect(readStatementText(sql)).toEqual({ kind, parameters })
})

test.each([
  ['SELECT 1; SELECT 2', /more than one statement/],
  ['DELETE FROM t;--\nDELETE FROM t', /more than one statement/],
  ['CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END; DROP TABLE t', /more than one statement/],
  ['SELECT ?1', /bare \?/],
  ['SELECT :name', /bare \?/],
  ['SELECT @name', /bare \?/],
  ['SELECT $name', /bare \?/],
  ['BEGIN', /begins with BEGIN/],
  ['/* */ commit', /begins with COMMIT/],
  ['ROLLBACK TO a', /begins with ROLLBACK/],
  ['SAVEPOINT a', /begins with SAVEPOINT/],
  ['PRAGMA synchronous = OFF', /begins with PRAGMA/],
  ["ATTACH 'x' AS x", /begins with ATTACH/],
  ['VACUUM', /begins with VACUUM/],
  ['constructor', /begins with CONSTRUCTOR/],
  ['-- nothing', /is empty/],
  [';', /is empty/],
])('refuses %s', (sql, problem) => {
  expect(() => readStatementText(sql)).toThrow(problem)
})

test('reads a statement of a megabyte in no time', () => {
  const sql = `SELECT '${"''".repeat(500_000)}' AS a, ${'?, '.repeat(100_000)} 1`
  expect(readStatementText(sql).parameters).toBe(100_000)
})

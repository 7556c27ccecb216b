import { describe, expect, test } from 'vitest'
import { statementText } from '../../../src/sql/rqlite/statement-text.ts'
import { refused } from '../../support/refused.ts'

const sqlOf = (sql: string) => JSON.parse(statementText(sql).json)

describe('rqlite: the text of a statement', () => {
  test('puts RETURNING before a space, where alone rqlite sees it', () => {
    const sql = 'INSERT INTO a (k)\nVALUES (?)\nreturning\n\t*'
    expect(sqlOf(sql)).toBe('INSERT INTO a (k) VALUES (?) returning *')
    expect(statementText(sql).returning).toBe(true)
    expect(statementText("INSERT INTO a VALUES ('x RETURNING k')").returning).toBe(false)
  })

  test('leaves out comments and the last semicolon, and nothing inside quotes', () => {
    expect(sqlOf('SELECT 1 -- ; ?\n, 2 /* ? ; */ , \'--;/*?*/ \n\' , "a;?" , [b;?] , `c;?` ; ; -- end')).toBe(
      'SELECT 1 , 2 , \'--;/*?*/ \n\' , "a;?" , [b;?] , `c;?`',
    )
  })

  test('counts parameters outside quotes and comments', () => {
    const { pieces } = statementText('SELECT ?, \'?\', "?", /* ? */ `?`, [?], ? -- ?')
    expect(pieces).toHaveLength(3)
  })

  test.each([
    ['SELECT 1; SELECT 2', /more than one statement/],
    ["INSERT INTO a VALUES (';'); DELETE FROM a", /more than one statement/],
    ['BEGIN', /begins with BEGIN/],
    ['begin immediate', /begins with BEGIN/],
    ['/* a */ COMMIT', /begins with COMMIT/],
    ['END', /begins with END/],
    ['ROLLBACK', /begins with ROLLBACK/],
    ['SAVEPOINT a', /begins with SAVEPOINT/],
    ['RELEASE a', /begins with RELEASE/],
    ['PRAGMA foreign_keys = ON', /begins with PRAGMA/],
    ["ATTACH 'a' AS b", /begins with ATTACH/],
    ['VACUUM', /begins with VACUUM/],
    ['-- nothing', /is empty/],
    [';', /is empty/],
    ['SELECT ?1', /bare \?/],
    ['SELECT :a', /bare \?/],
    ['SELECT @a', /bare \?/],
    ['SELECT $a', /bare \?/],
    ["SELECT 'a", /quote that does not end/],
  ])('refuses %j', (sql, message) => {
    expect(() => statementText(sql)).toThrow(refused(message))
  })

  test('takes a trigger with its own statements and ends', () => {
    const sql =
      'CREATE TRIGGER a AFTER INSERT ON b BEGIN UPDATE b SET c = CASE WHEN 1 THEN 2 END; DELETE FROM d; END;'
    expect(statementText(sql).kind).toBe('schema')
    expect(() => statementText(`${sql} DELETE FROM e`)).toThrow(refused(/more than one/))
  })

  test.each([
    ['WITH a AS (SELECT 1) SELECT * FROM a', 'read'],
    ['WITH a AS (DELETE FROM b) INSERT INTO c SELECT 1', 'write'],
    ['VALUES (1)', 'read'],
    ['replace into a values (1)', 'write'],
    ['DROP TABLE a', 'schema'],
  ])('knows what %j does', (sql, kind) => {
    expect(statementText(sql).kind).toBe(kind)
  })

  test.each([
    'INSERT INTO a VALUES (random())',
    'INSERT INTO a VALUES (hex(RandomBlob (16)))',
    "INSERT INTO a VALUES (datetime('now'))",
    "INSERT INTO a VALUES (strftime('%s', 'NOW'))",
    'INSERT INTO a VALUES (unixepoch())',
    'INSERT INTO a VALUES (datetime( ))',
    'UPDATE a SET t = CURRENT_TIMESTAMP',
    'CREATE TABLE a (t TEXT DEFAULT current_date)',
  ])('knows that nodes would differ about %j', sql => {
    expect(statementText(sql).differs).toBeDefined()
  })

  test.each([
    "INSERT INTO a VALUES (datetime(?, 'unixepoch'))",
    "INSERT INTO a VALUES ('random()', 'CURRENT_TIMESTAMP', 'now')",
    'SELECT "random" FROM a',
    "SELECT date(t) FROM a WHERE k = 'now'",
  ])('knows that nodes agree about %j', sql => {
    expect(statementText(sql).differs).toBeUndefined()
  })
})

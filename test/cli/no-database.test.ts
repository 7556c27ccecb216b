import { existsSync, mkdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { theProgram } from './program-process.ts'

const { run, at } = theProgram()
const records = ['--records', 'sqlite:./mistyped.db']

test.each([
  ['audit', 'file:./files'],
  ['gc', 'file:./files'],
  ['doctor', 'file:./files'],
  ['ls', 'file:./files'],
  ['tenants', 'list'],
  ['tenants', 'status'],
  ['tenants', 'drop', 'acme', 'file:./files'],
  ['records', 'backup', 'file:./backups'],
  ['records', 'raise-epoch', 'file:./files'],
  ['migrate', 'cutover', 'status', 'file:./files', 'file:./new'],
  ['migrate', 'cutover', 'advance', 'file:./files', 'file:./new'],
])('stowage %s %s says that there is no such database, and makes none', async (...command) => {
  expect(await run([...command, ...records])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('there is no database ./mistyped.db: see --records'),
  })
  expect(existsSync(at('mistyped.db'))).toBe(false)
})

test('records of the source of a migration must be there, and those of the destination begin with it', async () => {
  mkdirSync(at('files'), { recursive: true })
  const manifest = ['--manifest', 'sqlite:./move.db']
  const from = ['--records-from', 'sqlite:./mistyped.db']
  expect(await run(['migrate', 'run', 'file:./files', 'file:./new', ...manifest, ...from])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('there is no database ./mistyped.db'),
  })
  expect(existsSync(at('mistyped.db'))).toBe(false)
})

test('a migration of which nothing is known and that names no stores makes no manifest', async () => {
  expect(await run(['migrate', 'run', '--manifest', 'sqlite:./none.db'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('name the stores'),
  })
  expect(existsSync(at('none.db'))).toBe(false)
})

test('a tenant may be the first of a database', async () => {
  expect(await run(['tenants', 'create', 'acme', '--records', 'sqlite:./first.db'])).toMatchObject({
    code: 0,
  })
  expect(existsSync(at('first.db'))).toBe(true)
})

import { describe, expect, test } from 'vitest'
import { hasCode } from '../../support/has-code.ts'
import { standing } from './standing.ts'

const cluster = standing()

async function bytesOf(file: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of file) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function* inPieces(bytes: Buffer, size = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function prepared() {
  const engine = cluster.client()
  const name = cluster.table()
  await engine.batch([[`CREATE TABLE ${name} (k TEXT)`], [`INSERT INTO ${name} (k) VALUES ('kept')`]])
  const keys = async () => (await engine.query([`SELECT k FROM ${name}`])).map(row => row.k)
  return { engine, name, keys }
}

describe('rqlite: the whole database as a file', () => {
  test('comes back as it was, on every node', async () => {
    const { engine, name, keys } = await prepared()
    const file = await bytesOf(engine.backup())
    await engine.batch([[`DELETE FROM ${name}`]])
    await engine.load(inPieces(file))
    expect(await keys()).toEqual(['kept'])
    await cluster.cluster.settle()
    for (const { url } of cluster.cluster.nodes) {
      const rows = await cluster.client({ url }).query([`SELECT k FROM ${name}`], { consistency: 'stale' })
      expect(rows).toEqual([{ k: 'kept' }])
    }
  })

  test.each([
    ['is cut', (file: Buffer) => file.subarray(0, file.length - 512)],
    ['is none', () => Buffer.from('DROP TABLE stowage_operations')],
    ['is empty', () => Buffer.alloc(0)],
  ])('loads nothing of a file that %s', async (_, changed) => {
    const { engine, name, keys } = await prepared()
    const file = changed(await bytesOf(engine.backup()))
    await engine.batch([[`INSERT INTO ${name} (k) VALUES ('later')`]])
    await expect(engine.load(inPieces(file))).rejects.toSatisfy(hasCode('checksum-mismatch'))
    expect(await keys()).toEqual(['kept', 'later'])
  })

  test('is no backup where it breaks off, however good the status was', async () => {
    const { engine } = await prepared()
    const file = await bytesOf(engine.backup())
    cluster.faults.onRequest = ({ target }) =>
      target.startsWith('/db/backup')
        ? { status: 200, body: file.toString('latin1', 0, 4096).replace(/[^\0-\x7f]/g, '\0') }
        : 'serve'
    await expect(bytesOf(engine.backup())).rejects.toSatisfy(hasCode('checksum-mismatch'))
    cluster.faults.onRequest = ({ target }) =>
      target.startsWith('/db/backup') ? { status: 500, body: 'database is locked' } : 'serve'
    await expect(bytesOf(engine.backup())).rejects.toSatisfy(hasCode('unavailable'))
  })

  test('is pending where the answer to a load is lost', async () => {
    const { engine, name, keys } = await prepared()
    const file = await bytesOf(engine.backup())
    await engine.batch([[`DELETE FROM ${name}`]])
    cluster.faults.onRequest = ({ target }) => (target.startsWith('/db/load') ? 'drop-answer' : 'serve')
    await expect(engine.load(inPieces(file))).rejects.toSatisfy(hasCode('pending'))
    expect(await keys()).toEqual(['kept'])
  })

  test('says which permission is missing', async () => {
    const { engine } = await prepared()
    cluster.faults.onRequest = ({ target }) =>
      /backup|load/.test(target) ? { status: 401, body: '' } : 'serve'
    await expect(bytesOf(engine.backup())).rejects.toThrow(/permission 'backup'/)
    const file = inPieces(Buffer.concat([Buffer.from('SQLite format 3\0'), Buffer.alloc(100)]))
    await expect(engine.load(file)).rejects.toThrow(/permission 'load'|no SQLite file|not whole/)
  })
})

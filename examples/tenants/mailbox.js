import { randomUUID } from 'node:crypto'
import { tenantTable, upgradeTables } from 'stowage/records'

/** The application's own table, one per tenant. A step is never edited; add the next one. */
const UPGRADES = [
  {
    version: 1,
    creates: ['mails'],
    statements: ({ table, types }) => [
      `CREATE TABLE ${table('mails')} (id ${types.text} PRIMARY KEY, received_at ${types.integer} NOT NULL, sender ${types.text} NOT NULL, recipients ${types.text} NOT NULL, subject ${types.text} NOT NULL, raw ${types.blob} NOT NULL)`,
    ],
  },
]

/**
 * The mails of one tenant. Each is kept twice, to show both ways: as a file with its record, and as a BLOB in the
 * tenant's own table. Both are there or none is.
 */
export async function openMailbox(files, engine) {
  await upgradeTables(engine, files.tenantId, 'app', UPGRADES)
  const mails = tenantTable(files.tenantId, 'mails')
  const keyOf = id => `mails/${id}.eml`

  return {
    async keep({ sender, recipients, raw, now = Date.now() }) {
      const id = randomUUID()
      const subject = subjectOf(raw)
      const row = [id, BigInt(now), sender, recipients.join(', '), subject, raw]
      await files.upload(keyOf(id), raw, {
        contentType: 'message/rfc822',
        checksum: 'sha256',
        also: [
          [
            `INSERT INTO ${mails} (id, received_at, sender, recipients, subject, raw) VALUES (?, ?, ?, ?, ?, ?)`,
            ...row,
          ],
        ],
      })
      return id
    },

    async list() {
      const rows = await engine.query([
        `SELECT id, received_at, sender, recipients, subject, LENGTH(raw) AS size FROM ${mails} ORDER BY received_at, id LIMIT 1000`,
      ])
      return rows.map(({ id, received_at, sender, recipients, subject, size }) => {
        const receivedAt = new Date(Number(received_at)).toISOString()
        return { id, receivedAt, sender, recipients, subject, size: Number(size) }
      })
    },

    /** The message as it came, or undefined. `from`: `file` or `table`. */
    async raw(id, from = 'file') {
      if (from === 'table') {
        const [row] = await engine.query([`SELECT raw FROM ${mails} WHERE id = ?`, id])
        return row?.raw
      }
      try {
        return await (await files.download(keyOf(id))).bytes()
      } catch (error) {
        if (error.code === 'not-found') return undefined
        throw error
      }
    },

    /** File, record and row, in one transaction. False where there is no such mail. */
    async remove(id) {
      try {
        const also = [[`DELETE FROM ${mails} WHERE id = ?`, id]]
        return (await files.delete(keyOf(id), { also })).status === 'deleted'
      } catch (error) {
        // Gone for every reader; the worker goes on with the bytes.
        if (error.code === 'pending') return true
        throw error
      }
    },
  }
}

/** For the list: the header's text as it stands there. What is no UTF-8, or NUL, is shown as a replacement character. */
function subjectOf(raw) {
  const head = raw.subarray(0, 64 * 1024).toString('utf8')
  const [headers] = head.split(/\r?\n\r?\n/, 1)
  const [, subject = ''] = /^subject:[ \t]*(.*(?:\r?\n[ \t].*)*)/im.exec(headers) ?? []
  return subject
    .replace(/\r?\n(?=[ \t])/g, '')
    .replaceAll('\0', '\ufffd')
    .trim()
}

import { randomUUID } from 'node:crypto'
import { tenantTable } from 'stowage/records'

/** The application's own table. It has versions of its own: add a step to change it, never edit one. */
export const UPGRADES = [
  {
    version: 1,
    creates: ['attachments'],
    statements: ({ table, types }) => [
      `CREATE TABLE ${table('attachments')} (id ${types.text} PRIMARY KEY, file_key ${types.text} NOT NULL UNIQUE, name ${types.text} NOT NULL, uploaded_at ${types.integer} NOT NULL)`,
    ],
  },
]

const URL_SECONDS = 300
const MOST_NAME_LENGTH = 200

/** What users have attached: a row here and a file there, which come and go together. */
export class Attachments {
  #files
  #engine
  #table

  constructor(files, engine) {
    this.#files = files
    this.#engine = engine
    this.#table = tenantTable(files.tenantId, 'attachments')
  }

  /** The newest first, with size and type from the files' records: nothing is kept twice, and no store is asked. */
  async list() {
    const rows = await this.#engine.query([
      `SELECT id, file_key, name, uploaded_at FROM ${this.#table} ORDER BY uploaded_at DESC, id LIMIT 500`,
    ])
    const infos = await this.#files.infoMany(rows.map(row => row.file_key))
    return rows.flatMap((row, index) => {
      // Deleted between the two questions.
      if (!infos[index].ok) return []
      const { size, contentType } = infos[index].value
      return [shown(row, { size, contentType })]
    })
  }

  /** Stores the file and inserts the row: both, or neither. */
  async add(name, body, { size, signal, now = Date.now() }) {
    const id = randomUUID()
    const clean = cleanName(name)
    const row = { id, file_key: `attachments/${id}/${clean}`, name: clean, uploaded_at: BigInt(now) }
    const info = await this.#files.upload(row.file_key, body, {
      size,
      signal,
      also: [
        [
          `INSERT INTO ${this.#table} (id, file_key, name, uploaded_at) VALUES (?, ?, ?, ?)`,
          id,
          row.file_key,
          row.name,
          row.uploaded_at,
        ],
      ],
    })
    return shown(row, info)
  }

  /** A URL that saves the file under its own name, or undefined where there is none. */
  async urlOf(id) {
    const row = await this.find(id)
    if (row === undefined) return undefined
    const options = { expiresIn: URL_SECONDS, download: row.name }
    return (await this.#files.signedUrl(row.file_key, options)).url
  }

  /**
   * Deletes the row and the file in one transaction. `pending`: both are gone for every reader, and the store has not
   * let go of the bytes yet; the worker goes on.
   */
  async remove(id) {
    const row = await this.find(id)
    if (row === undefined) return 'missing'
    try {
      await this.#files.delete(row.file_key, {
        also: [[`DELETE FROM ${this.#table} WHERE id = ?`, id]],
      })
      return 'deleted'
    } catch (error) {
      if (error.code === 'pending') return 'pending'
      throw error
    }
  }

  /** The row alone, or undefined. */
  async find(id) {
    const [row] = await this.#engine.query([
      `SELECT id, file_key, name, uploaded_at FROM ${this.#table} WHERE id = ?`,
      id,
    ])
    return row
  }
}

function shown(row, { size, contentType }) {
  const uploadedAt = new Date(Number(row.uploaded_at)).toISOString()
  return { id: row.id, name: row.name, size, type: contentType, uploadedAt }
}

/** A name of one segment: what a browser sends may be a path, or nothing at all. */
function cleanName(name) {
  const base = name
    .toWellFormed()
    .replace(/^.*[/\\]/s, '')
    .replace(/[\x00-\x1f\x7f]/g, '')
  const short = [...base].slice(0, MOST_NAME_LENGTH).join('')
  return short === '' || short === '.' || short === '..' ? 'file' : short
}

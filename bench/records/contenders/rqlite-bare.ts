import { Agent, request } from 'node:http'
import type { TimedContender } from '../../timed-contender.ts'
import { createNotes, insertNote, noteValues, SQLITE_TYPES } from '../note.ts'

export interface RqliteBareOptions {
  url: string
  table: string
  atOnce: number
  work: 'write' | 'read'
  level?: 'weak' | 'none'
  rows?: number
}

/** rqlite's HTTP by `node:http` and a keep-alive agent, an answer parsed with `JSON.parse`: the least a client does. */
export async function create(options: RqliteBareOptions): Promise<TimedContender> {
  const { url, table, atOnce, work, level = 'weak', rows = 1 } = options
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce })
  const post = (path: string, statements: unknown[]) => postJson(agent, new URL(path, url), statements)
  if (work === 'write') await post('/db/execute', [[createNotes(SQLITE_TYPES, table)]])
  const write = (index: number) => post('/db/execute', [[insertNote(table), ...noteValues(index)]])
  const read = async (index: number) => {
    const id = (index % rows) + 1
    const [{ values }] = await post(`/db/query?level=${level}`, [[`SELECT * FROM ${table} WHERE id = ?`, id]])
    if (values?.[0]?.[0] !== id) throw new Error(`row ${id} was not read`)
  }
  return { atOnce, operate: work === 'write' ? write : read }
}

interface Result {
  error?: string
  values?: unknown[][]
}

function postJson(agent: Agent, url: URL, body: unknown): Promise<[Result]> {
  return new Promise((resolve, reject) => {
    const text = JSON.stringify(body)
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
    const sent = request(url, { method: 'POST', agent, headers }, response => {
      const chunks: Buffer[] = []
      response.on('data', chunk => chunks.push(chunk))
      response.once('error', reject)
      response.once('end', () => {
        const { results, error } = JSON.parse(Buffer.concat(chunks).toString())
        const problem = error ?? results?.[0]?.error
        if (problem) reject(new Error(problem))
        else resolve(results)
      })
    })
    sent.once('error', reject)
    sent.end(text)
  })
}

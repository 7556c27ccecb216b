/** The server of `examples/saas-delete` over folders of its own. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from '../package/packed-package.ts'
import { type RunningExample, startExample } from './run-example.ts'

export const LAKE = join(root, 'examples/files/photos/lake.jpg')
// What the machine's own environment says must not choose the store.
export const DEFAULTS = { DATABASE_URL: '', STOWAGE_URL: '', PUBLIC_URL: '', STOWAGE_URL_SECRET: '' }

const made: string[] = []

export function removeFolders(): void {
  for (const folder of made) rmSync(folder, { recursive: true, force: true })
}

export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'stowage-saas-test-'))
  made.push(folder)
  return folder
}

export function startServer(folder: string, env: Record<string, string> = {}): Promise<RunningExample> {
  const variables = { ...DEFAULTS, PORT: '0', ...env }
  return startExample('saas-delete/server.js', [folder], variables, /ready: (http:\S+)/)
}

/** The files of users that lie in the folder: neither attributes nor the mark of whose folder it is. */
export function bytesIn(folder: string): string[] {
  return readdirSync(join(folder, 'files'), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .filter(path => path.includes('/attachments/'))
}

/** The server of `examples/plugin-registry` over folders of its own, and those who publish and download. */
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RunningExample, startExample } from './run-example.ts'

const made: string[] = []

export function removeFolders(): void {
  for (const folder of made) rmSync(folder, { recursive: true, force: true })
}

export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'stowage-plugins-test-'))
  made.push(folder)
  return folder
}

export const TOKEN = 'a token of the tests'
/** What the machine's own environment says must not choose the parts. */
export const DEFAULTS = {
  STOWAGE_URL: '',
  MOVE_TO_URL: '',
  DATABASE_URL: '',
  APP_SECRET: 'a secret of the tests, the same in all processes',
  PUBLISH_TOKEN: TOKEN,
  PUBLIC_URL: '',
  STOWAGE_TENANT_ID: '',
  NODE_ENV: '',
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
}

export async function startServer(
  folder: string,
  env: Record<string, string> = {},
): Promise<RunningExample & { readonly url: string }> {
  const variables = { ...DEFAULTS, PORT: '0', ...env }
  const server = await startExample('plugin-registry/server.js', [folder], variables, /ready: (http:\S+)/)
  return { ...server, url: server.said[1]! }
}

export interface Plugin {
  name: string
  version: string
  description: string
  archive: Uint8Array
  sha256: string
}

export interface ShownVersion {
  name: string
  version: string
  sha256: string
  size: number
  description: string
  yanked: boolean
  publishedAt: string
}

/** A plugin whose archive is `content`: the registry does not look into it. */
export function plugin(name: string, version: string, content = `${name} ${version}`): Plugin {
  const archive = Buffer.from(content)
  const sha256 = createHash('sha256').update(archive).digest('hex')
  return { name, version, description: `The plugin ${name}`, archive, sha256 }
}

/** The same as a folder, for `publish.js`. */
export function pluginFolder(parent: string, name: string, version: string): string {
  const folder = join(parent, `${name}-${version}`)
  mkdirSync(folder)
  writeFileSync(join(folder, 'plugin.json'), JSON.stringify({ name, version, description: 'for a test' }))
  writeFileSync(join(folder, 'index.js'), `export const version = '${version}'\n`)
  return folder
}

/** Archives of a plugin that lie in the folder of a server. */
export function archivesIn(folder: string, name: string, store = 'files'): string[] {
  const path = join(folder, store, 'default/plugins', name)
  return readdirSync(path)
    .filter(file => file.endsWith('.tgz'))
    .sort()
}

export async function ask<Body>(
  url: string,
  path: string,
  init: RequestInit = {},
): Promise<{ status: number; headers: Headers; body: Body }> {
  const response = await fetch(url + path, { redirect: 'manual', ...init })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.startsWith('application/json') === true
  return {
    status: response.status,
    headers: response.headers,
    body: (isJson ? JSON.parse(text) : text) as Body,
  }
}

/** A request of somebody who may publish. */
export function change<Body = { error: { code: string } }>(
  url: string,
  method: string,
  path: string,
  body?: unknown,
) {
  return ask<Body>(url, path, {
    method,
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
}

export function tokenOf(folder: string): string {
  return readFileSync(join(folder, 'publish-token'), 'utf8')
}

import { memory } from '../../src/adapters/memory.ts'
import type { SignedUploadOptions } from '../../src/core/options.ts'
import type { StorageProvider } from '../../src/core/provider.ts'
import { type FileServerOptions, fileServer } from '../../src/server/index.ts'

export const NOW = Date.UTC(2026, 5, 1, 12)
export const signing = { baseUrl: 'https://example.org/files', secret: 'a-secret-of-some-length' }

/** Memory storage behind the handler, without a socket; both see `clock.now`. */
export function servedMemory(options: Partial<FileServerOptions> = {}) {
  const clock = { now: NOW }
  const now = () => clock.now
  const files = memory({ signing, now })
  const handler = fileServer(files, { signing, now, ...options })
  const ask = (url: string, init: RequestInit & { duplex?: 'half' } = {}) => handler(new Request(url, init))
  return { files, ask, clock, handler }
}

/** The code of an answer that is no file. */
export async function codeOf(response: Response): Promise<string> {
  const { error } = (await response.json()) as { error: { code: string } }
  return error.code
}

/** A signed upload as our own server takes it: by PUT. */
export async function signedPut(files: StorageProvider, key: string, options: SignedUploadOptions) {
  const upload = await files.signedUpload(key, options)
  if (upload.method !== 'PUT') throw new Error('our server takes PUT')
  return upload
}

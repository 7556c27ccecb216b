import { StorageError } from '../../core/errors.ts'
import { bytesToBase64Url } from './base64url.ts'
import type { KeyPair } from './key-pairs.ts'
import type { Settings } from './settings.ts'

type NodeCrypto = typeof import('node:crypto')

/**
 * Node's module where there is one. Asked for at run time: an import at the top would keep the entry from loading in
 * browsers and workers, where the asynchronous twin runs.
 */
function nodeCrypto(): NodeCrypto {
  const { process } = globalThis as { process?: { getBuiltinModule?(id: string): unknown } }
  const found = process?.getBuiltinModule?.('node:crypto') as NodeCrypto | undefined
  if (found !== undefined) return found
  throw new StorageError(
    'unsupported',
    'imgproxy: there is no node:crypto here: use imgproxyAsync, which needs WebCrypto only',
    { provider: 'imgproxy' },
  )
}

/** The signature of a path. */
export type Sign = (path: string) => string

export function nodeSigner({ key, salt }: KeyPair, size: number): Sign {
  const { createHmac, createSecretKey } = nodeCrypto()
  const secret = createSecretKey(key)
  // A path is ASCII, so salt and path together are one string of bytes: one update is a third faster than two.
  const prefix = String.fromCharCode(...salt)
  const hmac = (path: string) => createHmac('sha256', secret).update(prefix + path, 'latin1')
  // A cut signature is not the beginning of the whole one: its last character differs.
  if (size < 32) return path => bytesToBase64Url(hmac(path).digest().subarray(0, size))
  return path => hmac(path).digest('base64url')
}

/** AES-CBC, the initialization vector first, in base64url. */
export function nodeEncrypter({ encryptionKey: key, iv }: Settings): (source: string) => string {
  const { createCipheriv, createHmac } = nodeCrypto()
  return source => {
    const start = iv?.(source) ?? createHmac('sha256', key!).update(`iv:${source}`).digest().subarray(0, 16)
    const cipher = createCipheriv(`aes-${key!.length * 8}-cbc`, key!, start)
    const body = cipher.update(source, 'utf8')
    const last = cipher.final()
    return bytesToBase64Url(Uint8Array.from([...start, ...body, ...last]))
  }
}

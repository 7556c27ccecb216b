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

/** Bytes of one block of SHA-256. */
const BLOCK = 64
/** Room for a path; a longer one gets more. */
const USUAL_PATH = 2048

export function nodeSigner({ key, salt }: KeyPair, size: number): Sign {
  const { createHmac, hash } = nodeCrypto()
  // Not every runtime that has node:crypto has the newer function.
  if (hash === undefined) {
    return path => {
      const bytes = createHmac('sha256', key).update(salt).update(path).digest()
      return bytesToBase64Url(bytes.subarray(0, size))
    }
  }
  return hashSigner(hash, key, salt, size)
}

/**
 * HMAC as RFC 2104 writes it, from two hashes in one call each: in half the time of an `Hmac` object, of which Node
 * makes a stream. The blocks of the key and the salt, which are the same each time, are laid out once.
 */
function hashSigner(hash: NodeCrypto['hash'], key: Uint8Array, salt: Uint8Array, size: number): Sign {
  const secret = key.length > BLOCK ? hash('sha256', key, 'buffer') : key
  const block = (mask: number) => Uint8Array.from({ length: BLOCK }, (_, at) => (secret[at] ?? 0) ^ mask)
  const start = Buffer.concat([block(0x36), salt])
  let inner = Buffer.concat([start, new Uint8Array(USUAL_PATH)])
  const outer = Buffer.concat([block(0x5c), new Uint8Array(32)])
  return path => {
    const end = start.length + path.length
    if (end > inner.length) inner = Buffer.concat([start, new Uint8Array(path.length)])
    // A path is ASCII.
    inner.write(path, start.length, 'latin1')
    // A character a byte: a buffer for the first hash would take a third of all the time.
    outer.write(hash('sha256', inner.subarray(0, end), 'binary'), BLOCK, 'latin1')
    // A cut signature is not the beginning of the whole one: its last character differs.
    if (size < 32) return bytesToBase64Url(hash('sha256', outer, 'buffer').subarray(0, size))
    return hash('sha256', outer, 'base64url')
  }
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

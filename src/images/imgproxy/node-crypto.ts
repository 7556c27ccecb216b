import type { Hmac } from 'node:crypto'
import { StorageError } from '../../core/errors.ts'
import { bytesToBase64Url } from './base64url.ts'
import type { KeyPair } from './key-pairs.ts'
import type { Settings } from './settings.ts'

type NodeCrypto = typeof import('node:crypto')

const encoder = new TextEncoder()

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

export interface NodeSigner {
  /** The signature of a path. */
  sign(path: string): string
  /** The same for paths that begin and end alike, prepared once: takes what is between. */
  prepare(before: string, after: string): (between: string) => string
}

/**
 * A path is handed over in the pieces that there are. Joining them first would cost more than signing one piece
 * more: a joined string has to be made flat to be read.
 */
export function nodeSigner({ key, salt }: KeyPair, size: number): NodeSigner {
  const { createHmac, createSecretKey } = nodeCrypto()
  const secret = createSecretKey(key)
  const hmac = () => createHmac('sha256', secret)
  // A cut signature is not the beginning of the whole one: its last character differs.
  const text = (done: Hmac) =>
    size < 32 ? bytesToBase64Url(done.digest().subarray(0, size)) : done.digest('base64url')
  return {
    sign: path => text(hmac().update(salt).update(path)),
    prepare(before, after) {
      const start = Uint8Array.from([...salt, ...encoder.encode(before)])
      const end = encoder.encode(after)
      return between => text(hmac().update(start).update(between).update(end))
    },
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

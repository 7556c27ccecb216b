import { StorageError } from '../../core/errors.ts'
import { bytesToBase64Url } from './base64url.ts'
import type { KeyPair } from './key-pairs.ts'
import type { Settings } from './settings.ts'

const encoder = new TextEncoder()
const HMAC = { name: 'HMAC', hash: 'SHA-256' }

function subtle(): typeof crypto.subtle {
  const found = globalThis.crypto?.subtle
  if (found !== undefined) return found
  throw new StorageError(
    'unsupported',
    'imgproxy: there is no WebCrypto here; browsers have it on https pages and on localhost',
    { provider: 'imgproxy' },
  )
}

/** The signature of a path. */
export type SignAsync = (path: string) => Promise<string>

export function webSigner({ key, salt }: KeyPair, size: number): SignAsync {
  let imported: ReturnType<typeof crypto.subtle.importKey> | undefined
  return async path => {
    imported ??= subtle().importKey('raw', key, HMAC, false, ['sign'])
    const message = new Uint8Array(salt.length + path.length)
    message.set(salt)
    // A path is ASCII.
    encoder.encodeInto(path, message.subarray(salt.length))
    const signature = new Uint8Array(await subtle().sign(HMAC.name, await imported, message))
    return bytesToBase64Url(signature.subarray(0, size))
  }
}

/** AES-CBC, the initialization vector first, in base64url. */
export function webEncrypter({ encryptionKey, iv }: Settings): (source: string) => Promise<string> {
  const key = encryptionKey!
  return async source => {
    const start = iv?.(source) ?? (await derivedIv(key, source))
    const aes = await subtle().importKey('raw', key, 'AES-CBC', false, ['encrypt'])
    const body = await subtle().encrypt({ name: 'AES-CBC', iv: start }, aes, encoder.encode(source))
    return bytesToBase64Url(Uint8Array.from([...start, ...new Uint8Array(body)]))
  }
}

async function derivedIv(key: Uint8Array<ArrayBuffer>, source: string): Promise<Uint8Array<ArrayBuffer>> {
  const hmac = await subtle().importKey('raw', key, HMAC, false, ['sign'])
  return new Uint8Array(await subtle().sign(HMAC.name, hmac, encoder.encode(`iv:${source}`))).subarray(0, 16)
}

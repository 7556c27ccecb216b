import { createHmac, timingSafeEqual } from 'node:crypto'
import { StorageError } from '../../core/errors.ts'
import { forbidden, ImageRefusal } from './image-refusal.ts'
import type { DevImagesOptions } from './options.ts'

const WHOLE_SIGNATURE_BYTES = 32

type SigningOptions = Pick<
  DevImagesOptions,
  'key' | 'salt' | 'signatureSize' | 'trustedSignatures' | 'unsigned'
>

/**
 * Throws a refusal where `signature` is none of `path`: base64url without padding of the first bytes of
 * HMAC-SHA256(key, salt + path), under any pair of keys and salts.
 */
export type SignatureCheck = (signature: string, path: string) => void

/** @throws `invalid-argument` for keys or salts that are no hex, are empty or don't pair up */
export function signatureCheck(options: SigningOptions): SignatureCheck {
  const { signatureSize = WHOLE_SIGNATURE_BYTES, trustedSignatures = [] } = options
  if (options.unsigned === true) {
    if (options.key !== undefined || options.salt !== undefined)
      throw refuse('takes either unsigned or key and salt')
    return checkUnsigned
  }
  if (!Number.isInteger(signatureSize) || signatureSize < 1 || signatureSize > WHOLE_SIGNATURE_BYTES)
    throw refuse('signatureSize must be a whole number of bytes from 1 to 32')
  const keys = secrets('key', options.key)
  const salts = secrets('salt', options.salt)
  if (keys.length !== salts.length)
    throw refuse(`key and salt go in pairs, and these are ${keys.length} and ${salts.length}`)
  return (signature, path) => {
    if (trustedSignatures.includes(signature)) return
    if (!/^[\w-]*$/.test(signature) || signature.length % 4 === 1)
      throw forbidden('the signature is no base64url without padding')
    const given = Buffer.from(signature, 'base64url')
    if (given.length !== signatureSize)
      throw forbidden(`the signature has ${given.length} bytes and signatureSize is ${signatureSize}`)
    // Every pair is tried: the time that it takes says nothing of which one fitted.
    let fits = false
    keys.forEach((key, index) => {
      const whole = createHmac('sha256', key).update(salts[index]!).update(path).digest()
      if (timingSafeEqual(given, whole.subarray(0, signatureSize))) fits = true
    })
    if (!fits) throw forbidden('the path was changed, or signed with another key or salt')
  }
}

/** Without keys any word may stand where the signature does, but something must. */
function checkUnsigned(signature: string): void {
  if (!signature.includes(':')) return
  const said =
    'The signature appears to be a processing option. The signature section should always be present in the URL.'
  throw new ImageRefusal(403, said, 'an option stands where the signature must be')
}

function secrets(name: 'key' | 'salt', option: string | readonly string[] | undefined): Buffer[] {
  const texts = typeof option === 'string' ? option.split(',') : (option ?? [])
  if (texts.length === 0) throw refuse(`${name} is missing; unsigned: true serves without signatures`)
  return texts.map(text => {
    // `Buffer.from` would make an empty key of what is no hex, and sign with that.
    if (typeof text !== 'string' || !/^(?:[0-9a-f]{2})+$/i.test(text.trim()))
      throw refuse(`${name} must be hex: an even number of the digits 0-9 and a-f`)
    return Buffer.from(text.trim(), 'hex')
  })
}

function refuse(problem: string): StorageError {
  return new StorageError('invalid-argument', `devImages: ${problem}`)
}

import { createHash, hash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { StorageError } from './errors.ts'

/** SHA-256 of no bytes. */
export const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

export const CHECKSUM_ALGORITHMS = ['sha256', 'sha1', 'md5', 'crc32', 'crc32c', 'crc64nvme'] as const
export type ChecksumAlgorithm = (typeof CHECKSUM_ALGORITHMS)[number]

/** A checksum of an object's bytes. */
export interface Checksum {
  readonly algorithm: ChecksumAlgorithm
  /** Lower-case hexadecimal; for a composite one the checksum of the parts' checksums. */
  readonly value: string
  /** Number of parts, where it was made of the parts' checksums (S3 multipart) and not of the bytes. */
  readonly compositeParts?: number
}

/** The algorithms computed here, to send or to verify. The others are only read from stores that made them. */
export const COMPUTED_ALGORITHMS = [
  'sha256',
  'sha1',
  'md5',
  'crc32',
] as const satisfies readonly ChecksumAlgorithm[]
export type ComputedAlgorithm = (typeof COMPUTED_ALGORITHMS)[number]

const HEX_LENGTH: Record<ComputedAlgorithm, number> = { sha256: 64, sha1: 40, md5: 32, crc32: 8 }

/** Takes bytes piece by piece; `digest` gives lower-case hexadecimal and ends it. */
export interface Hasher {
  update(bytes: Uint8Array): void
  digest(): string
}

export function hasher(algorithm: ComputedAlgorithm): Hasher {
  if (algorithm === 'crc32') {
    let sum = 0
    return {
      update: bytes => {
        sum = crc32(bytes, sum)
      },
      digest: () => crc32Text(sum),
    }
  }
  const state = createHash(algorithm)
  return { update: bytes => void state.update(bytes), digest: () => state.digest('hex') }
}

/** Of bytes that are all there. In one call: a `Hash` is a stream, which of a small object costs more than the hashing. */
export function digest(algorithm: ComputedAlgorithm, bytes: Uint8Array): string {
  return algorithm === 'crc32' ? crc32Text(crc32(bytes)) : hash(algorithm, bytes, 'hex')
}

function crc32Text(sum: number): string {
  return sum.toString(16).padStart(8, '0')
}

/** What a caller's `checksum` option asks for: an algorithm to compute, and perhaps the value it must have. */
export interface ChecksumRequest {
  readonly algorithm: ComputedAlgorithm
  readonly expected?: string
}

/** Reads the `checksum` option of an upload. @throws `invalid-argument` */
export function checksumRequest(
  option: Checksum | ChecksumAlgorithm | undefined,
  provider: string,
): ChecksumRequest | undefined {
  if (option === undefined) return undefined
  const algorithm = typeof option === 'string' ? option : option?.algorithm
  const refuse = (problem: string) =>
    new StorageError('invalid-argument', `upload: checksum ${problem}`, { operation: 'upload', provider })
  if (!isComputed(algorithm)) throw refuse(`algorithm must be one of ${COMPUTED_ALGORITHMS.join(', ')}`)
  if (typeof option === 'string') return { algorithm }
  if (typeof option.value !== 'string' || option.compositeParts !== undefined)
    throw refuse('needs the value of the whole body')
  const expected = option.value.toLowerCase()
  if (expected.length !== HEX_LENGTH[algorithm] || !/^[0-9a-f]+$/.test(expected)) {
    throw refuse(`value of ${algorithm} must be ${HEX_LENGTH[algorithm]} hexadecimal digits`)
  }
  return { algorithm, expected }
}

export function isComputed(algorithm: unknown): algorithm is ComputedAlgorithm {
  return (COMPUTED_ALGORITHMS as readonly unknown[]).includes(algorithm)
}

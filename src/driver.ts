/**
 * For those who write an adapter: implement `Driver`, hand it to `defineProvider`. A backend needs nothing of this,
 * which is why it is an entry of its own.
 */
export type { Body } from './core/body.ts'
export type { ChecksumRequest } from './core/checksum.ts'
export { defineProvider } from './core/define-provider.ts'
export type { ByteSource } from './core/download.ts'
export type * from './core/driver.ts'
export { foldEntries } from './core/listing.ts'
export { locationOf } from './core/location.ts'
export type { KeyEntry, OwnOptions } from './core/options.ts'
export { loadPeer } from './core/peer.ts'
export {
  type ByteSpan,
  type HttpRange,
  parseContentRange,
  rangeHeader,
  rangePastEnd,
  spanOf,
} from './core/range.ts'
export { codeOfStatus, retryAfterMs } from './core/translate.ts'

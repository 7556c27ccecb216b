import { type ChecksumAlgorithm, COMPUTED_ALGORITHMS } from './checksum.ts'
import type { KeyRules } from './keys.ts'

/** `'unknown'` until `probe()` has asked the endpoint. */
export type Probed = boolean | 'unknown'

export type SignedMethod = 'GET' | 'HEAD' | 'PUT' | 'DELETE'

/** What a provider can do. The conformance kit holds it to every line, in both directions. */
export interface Capabilities {
  /** Names of the wrappers around the adapter, outermost first. */
  readonly layers: readonly string[]

  /** `upload` takes `ifNoneMatch: '*'`, and of many at once exactly one wins. */
  readonly createOnly: Probed
  /** `upload` takes `ifMatch`. */
  readonly conditionalReplace: Probed
  /** `download` and `info` take `ifMatch` and `ifNoneMatch`. */
  readonly conditionalRead: Probed
  /** `copy` and `move` take `ifMatch` for the source. */
  readonly conditionalCopySource: Probed
  /** `copy` and `move` take `ifNoneMatch: '*'` for the destination. */
  readonly createOnlyCopy: Probed
  /** `delete` takes `ifMatch`. */
  readonly conditionalDelete: Probed

  /** Objects keep strings of the user. */
  readonly metadata: boolean
  readonly cacheControl: boolean
  readonly contentDisposition: boolean
  readonly contentEncoding: boolean
  readonly contentLanguage: boolean
  /** `upload` and `copy` take `storageClass`. */
  readonly storageClass: boolean
  /** Checksums that `info` reports after an upload that asked for them. `upload` verifies any algorithm. */
  readonly checksums: readonly ChecksumAlgorithm[]
  /** `info` reports the checksum of objects uploaded without asking, too. */
  readonly checksumAlways: boolean

  /** `delete` and `deleteMany` take a `versionId`, and that version is gone for good. */
  readonly versionedDelete: boolean
  /** `unfinishedUploads` lists what was begun in parts and left, and `abortUpload` removes it. */
  readonly unfinishedUploads: boolean

  /** `uploadResumable` sends parts that are kept when it fails, so that a later call, in any process, goes on. */
  readonly resumableUpload: boolean

  /** `delete` tells `deleted` from `missing`; elsewhere both are `gone`. */
  readonly deleteReportsMissing: boolean
  /** Read-only providers refuse everything that writes. */
  readonly writable: boolean

  readonly keys: KeyRules
  /** Largest object in bytes, where the store has a limit. */
  readonly maxObjectBytes?: number

  /** `signedUrl`, or false. */
  readonly signedUrl:
    | false
    | {
        readonly methods: readonly SignedMethod[]
        /** Longest lifetime in seconds, where there is one. */
        readonly maxExpiresIn?: number
        /** The lifetime in seconds of GET and HEAD where `expiresIn` is left out; absent where it must be given. */
        readonly defaultExpiresIn?: number
        /** Signing a missing object is `not-found`. */
        readonly checksExistence: boolean
        /** A `contentType` given for PUT binds the URL to it; elsewhere one that is given is refused. */
        readonly bindsContentType: boolean
        /** The `download` name is part of what is signed. */
        readonly bindsDownload: boolean
      }
  /** `signedUpload`, or false. */
  readonly signedUpload:
    | false
    | {
        /** `expiresIn` is the caller's; elsewhere the store's own lifetime holds and a given one is refused. */
        readonly choosesExpiry: boolean
        /** Longest lifetime in seconds, where there is one. */
        readonly maxExpiresIn?: number
        /** An exact `size` is enforced. */
        readonly size: boolean
        /** `maxSize` is enforced. */
        readonly maxSize: boolean
        readonly contentType: boolean
        /** What was sent is no object before the backend has finalized it by its `uploadId`. */
        readonly finalizes: boolean
      }
  readonly publicUrl: boolean
}

/** Names of the capabilities that are plain switches: what a method needs is named by one of these. */
export type CapabilitySwitch = {
  [Name in keyof Capabilities]-?: Capabilities[Name] extends Probed ? Name : never
}[keyof Capabilities]

/** What our own stores can, where bytes and attributes are kept by us: no storage classes, versions or parts. */
export const OWN_STORE = {
  layers: [],
  createOnly: true,
  conditionalReplace: true,
  conditionalRead: true,
  conditionalCopySource: true,
  createOnlyCopy: true,
  conditionalDelete: true,
  metadata: true,
  cacheControl: true,
  contentDisposition: true,
  contentEncoding: true,
  contentLanguage: true,
  storageClass: false,
  checksums: COMPUTED_ALGORITHMS,
  checksumAlways: true,
  versionedDelete: false,
  unfinishedUploads: false,
  resumableUpload: false,
  deleteReportsMissing: true,
  writable: true,
} as const satisfies Partial<Capabilities>

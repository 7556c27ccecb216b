import { loadPeer } from '../../core/peer.ts'

export type S3Sdk = typeof import('@aws-sdk/client-s3')

const INSTALL = '@aws-sdk/client-s3 @aws-sdk/s3-request-presigner undici'

/** Sends the requests. */
export function loadUndici(): Promise<typeof import('undici')> {
  return loadPeer(() => import('undici'), 's3()', INSTALL)
}

/** Takes longer to load than some hundred requests: only where it decides something. */
export function loadSdk(): Promise<S3Sdk> {
  return loadPeer(() => import('@aws-sdk/client-s3'), 's3()', INSTALL)
}

export function loadPresigner(): Promise<typeof import('@aws-sdk/s3-request-presigner')> {
  return loadPeer(() => import('@aws-sdk/s3-request-presigner'), 's3()', INSTALL)
}

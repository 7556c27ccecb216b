import type { Agent } from 'undici'
import { loadPeer } from '../../core/peer.ts'

export type S3Sdk = typeof import('@aws-sdk/client-s3')

const INSTALL = '@aws-sdk/client-s3 @aws-sdk/s3-request-presigner undici'

/**
 * What sends the requests. The package's own entry brings fetch, WebSockets and mocks, too, and takes three times as long to load: it is
 * taken where the file of the class alone is not where it has always been.
 */
export function loadAgent(): Promise<typeof Agent> {
  return loadPeer(
    async () => {
      try {
        // @ts-expect-error the file has no types of its own
        return (await import('undici/lib/dispatcher/agent.js')).default as typeof Agent
      } catch {
        return (await import('undici')).Agent
      }
    },
    's3()',
    INSTALL,
  )
}

/** Takes longer to load than some hundred requests: only where it decides something. */
export function loadSdk(): Promise<S3Sdk> {
  return loadPeer(() => import('@aws-sdk/client-s3'), 's3()', INSTALL)
}

export function loadPresigner(): Promise<typeof import('@aws-sdk/s3-request-presigner')> {
  return loadPeer(() => import('@aws-sdk/s3-request-presigner'), 's3()', INSTALL)
}

import { loadPeer } from '../../core/peer.ts'

export interface S3Peers {
  readonly sdk: typeof import('@aws-sdk/client-s3')
  readonly SignatureV4: typeof import('@smithy/signature-v4').SignatureV4
  readonly S3RequestPresigner: typeof import('@aws-sdk/s3-request-presigner').S3RequestPresigner
  readonly Agent: typeof import('undici').Agent
}

const INSTALL = '@aws-sdk/client-s3 @aws-sdk/s3-request-presigner @smithy/signature-v4 undici'

export function loadPeers(): Promise<S3Peers> {
  return loadPeer(
    async () => {
      const [sdk, { SignatureV4 }, { S3RequestPresigner }, { Agent }] = await Promise.all([
        import('@aws-sdk/client-s3'),
        import('@smithy/signature-v4'),
        import('@aws-sdk/s3-request-presigner'),
        import('undici'),
      ])
      return { sdk, SignatureV4, S3RequestPresigner, Agent }
    },
    's3()',
    INSTALL,
  )
}

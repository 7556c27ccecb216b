import { S3Client } from '@aws-sdk/client-s3'
import { S3RequestPresigner } from '@aws-sdk/s3-request-presigner'
import { type Contender, clientConfig, type Target } from './contender.ts'

/** The presigner of the SDK alone, on a request made by hand: the bar for our signed URLs. */
export async function create(target: Target): Promise<Contender> {
  const client = new S3Client(clientConfig(target))
  const presigner = new S3RequestPresigner(client.config)
  const { hostname, port, protocol } = new URL(target.endpoint)
  const refuse = async () => {
    throw new Error('the presigner only signs')
  }
  return {
    get: refuse,
    put: refuse,
    sign: async key => {
      const request = {
        method: 'GET',
        protocol,
        hostname,
        port: Number(port),
        path: `/${target.bucket}/${key}`,
        query: {},
        headers: { host: `${hostname}:${port}` },
      }
      const signed = await presigner.presign(request as Parameters<typeof presigner.presign>[0], {
        expiresIn: 3600,
      })
      const query = Object.entries(signed.query ?? {}).map(
        ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`,
      )
      return `${protocol}//${hostname}:${port}${signed.path}?${query.join('&')}`
    },
    close: async () => client.destroy(),
  }
}

/** The few calls of MinIO's admin API that make a user with a policy. */
import { createCipheriv, createHash, pbkdf2Sync, randomBytes } from 'node:crypto'
import { SignatureV4 } from '@smithy/signature-v4'
import { Sha256 } from '../../src/adapters/s3/sha256.ts'
import type { S3Server } from './s3-server.ts'

export interface MinioUser {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** A user who may do what `policy`, an IAM document, allows, and nothing else. */
export async function minioUser(server: S3Server, policy: object): Promise<MinioUser> {
  const user = {
    accessKeyId: `user-${randomBytes(6).toString('hex')}`,
    secretAccessKey: randomBytes(16).toString('hex'),
  }
  const name = `policy-${user.accessKeyId}`
  const secret = JSON.stringify({ secretKey: user.secretAccessKey, status: 'enabled' })
  await call(server, 'add-canned-policy', { name }, Buffer.from(JSON.stringify(policy)))
  await call(
    server,
    'add-user',
    { accessKey: user.accessKeyId },
    encrypt(server.secretAccessKey, Buffer.from(secret)),
  )
  await call(server, 'set-user-or-group-policy', {
    policyName: name,
    userOrGroup: user.accessKeyId,
    isGroup: 'false',
  })
  return user
}

async function call(
  { endpoint, region, accessKeyId, secretAccessKey }: S3Server,
  action: string,
  query: Record<string, string>,
  body: Uint8Array = new Uint8Array(0),
): Promise<void> {
  const { protocol, hostname, host } = new URL(endpoint)
  const path = `/minio/admin/v3/${action}`
  const credentials = { accessKeyId, secretAccessKey }
  const signer = new SignatureV4({ service: 's3', region, credentials, sha256: Sha256, uriEscapePath: false })
  const hash = createHash('sha256').update(body).digest('hex')
  const headers = { host, 'x-amz-content-sha256': hash }
  const signed = await signer.sign({ method: 'PUT', protocol, hostname, path, query, headers })
  const answer = await fetch(`${endpoint}${path}?${new URLSearchParams(query)}`, {
    method: 'PUT',
    headers: signed.headers,
    body: Buffer.from(body),
  })
  if (!answer.ok)
    throw new Error(`MinIO's admin API answered ${answer.status} to ${action}: ${await answer.text()}`)
}

/** madmin's `EncryptData`: a salt, the kind of key, a nonce, and one fragment of the `sio` stream format. */
function encrypt(password: string, data: Buffer): Buffer {
  const salt = randomBytes(32)
  const nonce = randomBytes(8)
  const key = pbkdf2Sync(password, salt, 8192, 32, 'sha256')
  const seal = (sequence: number, text: Buffer, associated: Buffer) => {
    const count = Buffer.alloc(4)
    count.writeUInt32LE(sequence)
    const cipher = createCipheriv('aes-256-gcm', key, Buffer.concat([nonce, count])).setAAD(associated)
    return Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()])
  }
  const tag = seal(0, Buffer.alloc(0), Buffer.alloc(0))
  const kindPbkdf2 = Buffer.from([2])
  const lastFragment = Buffer.from([0x80])
  return Buffer.concat([salt, kindPbkdf2, nonce, seal(1, data, Buffer.concat([lastFragment, tag]))])
}

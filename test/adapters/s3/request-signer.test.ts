/** Held against the signer of the SDK, which must give the same to the byte. */
import { SignatureV4 } from '@smithy/signature-v4'
import { describe, expect, test } from 'vitest'
import { encodeQuery } from '../../../src/adapters/s3/connection.ts'
import { type Credentials, RequestSigner } from '../../../src/adapters/s3/request-signer.ts'
import { Sha256 } from '../../../src/adapters/s3/sha256.ts'
import { encodeKey } from '../../../src/core/keys.ts'
import { randomOf } from '../../records/support/random.ts'

const PAYLOAD = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const KEYS = ['a', 'a b/ü.txt', "it's (1)*!~.bin", 'a//b', 'x=1&y=2', '日本/😀', '%41', '+']
const VALUES = ['x', ' padded ', 'a  b\tc', 'text/plain; charset=utf-8', 'bytes=0-9', '"etag"', 'é', '']
const HEADERS = [
  'content-type',
  'range',
  'if-match',
  'x-amz-meta-a',
  'x-amz-meta-b-c',
  'cache-control',
  'content-length',
  'x-amz-acl',
]
const QUERIES: readonly Record<string, string>[] = [
  { 'list-type': '2', prefix: 'a/ü +', 'max-keys': '1000', 'continuation-token': 'a/b+c==' },
  { uploads: '' },
  { partNumber: '3', uploadId: 'x/y=z' },
]

const ENDPOINTS = [
  { signingRegion: 'us-east-1', signingName: 's3' },
  { signingRegion: 'eu-central-1', signingName: 's3-outposts' },
]

describe('signatures of requests', () => {
  test.each(ENDPOINTS)('are those of the SDK, in $signingRegion', async endpoint => {
    const random = randomOf(endpoint.signingRegion)
    const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)]!
    let credentials: Credentials = { accessKeyId: 'AKID', secretAccessKey: 'secret' }
    const own = new RequestSigner(endpoint, () => credentials)
    for (let round = 0; round < 300; round++) {
      // One signer outlives many credentials and days.
      if (random() < 0.2)
        credentials = {
          accessKeyId: `AKID${Math.floor(random() * 3)}`,
          secretAccessKey: `secret${Math.floor(random() * 3)}`,
          ...(random() < 0.5 ? { sessionToken: 'to/ken==' } : {}),
        }
      const headers: Record<string, string> = { host: 'store:9000', 'x-amz-content-sha256': PAYLOAD }
      for (const name of HEADERS) if (random() < 0.4) headers[name] = pick(VALUES)
      const query = random() < 0.3 ? pick(QUERIES) : undefined
      const method = pick(['GET', 'PUT', 'HEAD', 'DELETE', 'POST'])
      const path = `/bucket/${encodeKey(pick(KEYS))}`
      const date = new Date(Date.UTC(2026, 0, 1) + Math.floor(random() * 3 * 86_400_000))
      const theirs = new SignatureV4({
        service: endpoint.signingName,
        region: endpoint.signingRegion,
        credentials: async () => credentials,
        sha256: Sha256,
        uriEscapePath: false,
        applyChecksum: false,
      })
      const expected = await theirs.sign(
        { method, protocol: 'http:', hostname: 'store', path, query: query ?? {}, headers },
        { signingDate: date },
      )
      const queryText = query === undefined ? '' : encodeQuery(query)
      expect(await own.sign({ method, path, query: queryText, headers }, date)).toEqual(expected.headers)
      expect(own.signText('policy', date, credentials)).toBe(
        await theirs.sign('policy', { signingDate: date }),
      )
    }
  })

  test('take credentials that are renewed', async () => {
    let count = 0
    const own = new RequestSigner(ENDPOINTS[0]!, async () => ({
      accessKeyId: `id${++count}`,
      secretAccessKey: 's',
    }))
    const request = {
      method: 'GET',
      path: '/b/k',
      query: '',
      headers: { host: 'h', 'x-amz-content-sha256': PAYLOAD },
    }
    const date = new Date(0)
    expect((await own.sign(request, date)).authorization).toContain('Credential=id1/19700101/')
    expect((await own.sign(request, date)).authorization).toContain('Credential=id2/19700101/')
  })
})

import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { S3Connection } from '../../../src/adapters/s3/connection.ts'
import { checkedSettings } from '../../../src/adapters/s3/options.ts'
import { describeOnS3Servers } from '../../support/s3-servers.ts'
import { bytesOf, connectionTo, keysOf, newBucket } from './bucket.ts'

describeOnS3Servers('s3 failures', server => {
  test('a missing bucket is told from a missing object, also on HEAD', async () => {
    const { files: provider } = await newBucket(server)
    const missing = provider({ bucket: 'not-a-bucket-here' })
    const failure = { code: 'not-found', resource: 'bucket' }
    await expect(missing.info('a')).rejects.toMatchObject(failure)
    await expect(missing.exists('a')).rejects.toMatchObject(failure)
    await expect(missing.download('a')).rejects.toMatchObject(failure)
    await expect(missing.upload('a', 'x')).rejects.toMatchObject(failure)
    await expect(missing.delete('a')).rejects.toMatchObject(failure)
    await expect(keysOf(missing.list())).rejects.toMatchObject(failure)
    expect(await provider().exists('a')).toBe(false)
  })

  test('an unknown access key and a wrong secret are unauthenticated, also on HEAD, and stand in no message', async () => {
    const { files } = await newBucket(server)
    const { accessKeyId } = server
    const nobody = files({
      credentials: { accessKeyId: 'nobody-knows', secretAccessKey: 'hush-hush-hush' },
    } as object)
    const wrong = files({ credentials: { accessKeyId, secretAccessKey: 'hush-hush-hush' } } as object)
    for (const provider of [nobody, wrong]) {
      for (const work of [
        () => provider.info('a'),
        () => provider.download('a'),
        () => provider.upload('a', 'x'),
        () => keysOf(provider.list()),
      ]) {
        const error = await work().then(
          () => undefined,
          thrown => thrown,
        )
        expect(error).toMatchObject({ code: 'unauthenticated' })
        expect(JSON.stringify(error) + String(error.cause?.stack)).not.toContain('hush-hush-hush')
      }
    }
  })

  test('a range that starts past the end is invalid-argument with 416', async () => {
    const files = (await newBucket(server)).files()
    await files.upload('a', '12345')
    await expect(files.download('a', { range: { start: 5 } })).rejects.toMatchObject({
      code: 'invalid-argument',
      status: 416,
    })
  })

  test('deletes of 1,000 keys tell each key apart', async () => {
    const files = (await newBucket(server)).files()
    await files.upload('there', 'x')
    const results = await files.deleteMany(['there', 'missing', 'there', 'bad//key'])
    expect(results.map(result => result.status)).toEqual(['gone', 'gone', 'gone', 'error'])
  })

  test('a body that is cut half-way stores nothing, because its hash is signed', async () => {
    const { bucket, files } = await newBucket(server)
    const options = { bucket, ...connectionTo(server) }
    const connection = new S3Connection(options, checkedSettings(options))
    const bytes = bytesOf(2 ** 20)
    const half = async function* () {
      yield bytes.subarray(0, 2 ** 19)
      throw new Error('cut')
    }
    const cut = connection.send({
      method: 'PUT',
      key: 'a',
      headers: { 'content-length': String(bytes.length) },
      body: half(),
      payloadHash: createHash('sha256').update(bytes).digest('hex'),
    })
    await expect(cut).rejects.toThrow()
    expect(await files().exists('a')).toBe(false)
    await connection.close()
  })
})

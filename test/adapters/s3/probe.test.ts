/** What the probe leaves behind, whom it waits for, and for how long. */
import { Agent } from 'undici'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { StorageProvider } from '../../../src/core/provider.ts'
import { ETAG, errorXml, type FakeRequest, fakeS3 } from './fake-s3.ts'

const isRemoval = ({ method }: FakeRequest) => method === 'DELETE'

describe('the probe', () => {
  test('sees that conditions are ignored, and removes what it stored', async () => {
    const stored = new Set<string>()
    const { files } = await fakeS3(({ method, target }, response) => {
      if (method === 'PUT') stored.add(target.replace(/\?.*/, ''))
      if (method === 'DELETE') stored.delete(target)
      response.writeHead(200, { etag: ETAG }).end(`<CopyObjectResult><ETag>${ETAG}</ETag></CopyObjectResult>`)
    })
    expect(await files.probe()).toMatchObject({
      createOnly: false,
      conditionalReplace: false,
      conditionalCopySource: false,
      createOnlyCopy: false,
      conditionalDelete: false,
    })
    expect([...stored]).toEqual([])
    await expect(files.upload('a', 'x', { ifNoneMatch: '*' })).rejects.toMatchObject({ code: 'unsupported' })
  })

  test.each([
    ['write', (files: StorageProvider) => files.upload('a', 'x', { ifMatch: 'e' })],
    ['delete', (files: StorageProvider) => files.delete('a', { ifMatch: 'e' })],
  ])('removes its object though the answer of the PUT got lost (%s)', async (_, work) => {
    const { files, requests } = await fakeS3(({ method, headers }, response) => {
      if (method === 'DELETE') return void response.writeHead(204).end()
      if (headers['if-match'] === undefined) return void response.destroy()
      response.writeHead(412).end(errorXml('PreconditionFailed'))
    })
    await expect(work(files)).rejects.toMatchObject({ code: 'unavailable' })
    const lost = requests.find(({ method, headers }) => method === 'PUT' && headers['if-match'] === undefined)
    expect(requests.filter(isRemoval).map(({ target }) => target)).toEqual([lost!.target])
  })

  test('removes its copy though the answer got lost, and its object though the removal of one fails', async () => {
    const { files, requests } = await fakeS3(({ method, headers }, response) => {
      if (method === 'PUT' && headers['x-amz-copy-source'] === undefined)
        return void response.writeHead(200, { etag: ETAG }).end()
      if (method === 'PUT') return void response.writeHead(403).end(errorXml('AccessDenied'))
      response.destroy()
    })
    const copy = files.copy('a', 'b', { ifNoneMatch: '*' })
    await expect(copy).rejects.toMatchObject({ code: 'permission-denied' })
    const removed = requests.filter(isRemoval).map(({ target }) => target)
    expect(removed).toHaveLength(2)
    expect(removed[1]).toBe(`${removed[0]}-copy`)
  })

  test('has a time limit of its own, also over a dispatcher that has none', async () => {
    const dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0 })
    onTestFinished(() => dispatcher.destroy())
    const { files, requests } = await fakeS3(() => {}, { requestTimeoutMs: 200, dispatcher })
    await expect(files.probe()).rejects.toMatchObject({ code: 'timeout', retryable: true })
    expect(requests.map(({ method }) => method)).toEqual(['PUT', 'DELETE'])
  })

  test('goes on for the others when one who waits for it leaves, and asks no more than they do', async () => {
    let asked = () => {}
    const silence = new Promise<void>(resolve => {
      asked = resolve
    })
    let speak = () => {}
    const { files, requests } = await fakeS3(({ method, headers }, response) => {
      const conditional = (headers['if-match'] ?? headers['if-none-match']) !== undefined
      const answer = () => {
        if (method === 'PUT' && conditional) response.writeHead(412).end(errorXml('PreconditionFailed'))
        else response.writeHead(200, { etag: ETAG }).end()
      }
      if (requests.length > 1) return answer()
      speak = answer
      asked()
    })
    const controller = new AbortController()
    const leaving = files.probe({ signal: controller.signal })
    const staying = files.upload('b', 'x', { ifMatch: 'e' })
    await silence
    controller.abort()
    await expect(leaving).rejects.toMatchObject({ code: 'aborted' })
    speak()
    await expect(staying).rejects.toMatchObject({ code: 'precondition-failed' })
    const probes = requests.filter(({ target }) => target.includes('.stowage-probe-'))
    expect(new Set(probes.map(({ target }) => target)).size).toBe(1)
    expect(probes.filter(isRemoval)).toHaveLength(1)
    expect(files.capabilities.createOnly).toBe(true)
  })

  test('is spared where the user declares', async () => {
    const { files, requests } = await fakeS3(
      (_, response) => void response.writeHead(412).end(errorXml('PreconditionFailed')),
      {
        capabilities: { conditionalDelete: true },
      },
    )
    await expect(files.delete('a', { ifMatch: 'e' })).rejects.toMatchObject({ code: 'precondition-failed' })
    expect(requests).toHaveLength(1)
  })

  test('that fails decides nothing, and the next who asks tries again', async () => {
    let denied = true
    const { files } = await fakeS3(({ headers, method }, response) => {
      if (denied) return void response.writeHead(403).end(errorXml('AccessDenied'))
      if (method === 'PUT' && (headers['if-match'] ?? headers['if-none-match']) !== undefined)
        return void response.writeHead(412).end(errorXml('PreconditionFailed'))
      response.writeHead(200, { etag: ETAG }).end()
    })
    await expect(files.upload('a', 'x', { ifMatch: 'e' })).rejects.toMatchObject({
      code: 'permission-denied',
    })
    expect(files.capabilities.createOnly).toBe('unknown')
    denied = false
    await expect(files.upload('a', 'x', { ifNoneMatch: '*' })).rejects.toMatchObject({
      code: 'already-exists',
    })
    expect(files.capabilities.createOnly).toBe(true)
  })
})

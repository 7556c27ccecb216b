import { expect, test } from 'vitest'
import { describeOnS3Servers } from './s3-servers.ts'

describeOnS3Servers('a test server', server => {
  test('answers S3 on loopback and refuses a request without credentials', async () => {
    const answer = await fetch(`${server.endpoint}/bucket/key`)
    expect(new URL(server.endpoint).hostname).toBe('127.0.0.1')
    expect([403, 404]).toContain(answer.status)
    expect(await answer.text()).toContain('<Error>')
  })
})

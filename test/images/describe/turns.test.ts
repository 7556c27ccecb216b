import sharp from 'sharp'
import { expect, describe as group, it } from 'vitest'
import { describe } from '../../../src/images/index.ts'
import { hasCode } from '../../support/has-code.ts'
import { noise } from './sample-files.ts'

/** Takes a decoder some 100 ms. */
const slow = await sharp(noise(1500 * 1500 * 3), { raw: { width: 1500, height: 1500, channels: 3 } })
  .png({ compressionLevel: 1 })
  .toBuffer()

group('describe, of many images at once', () => {
  it('counts the time of each from its own turn', { timeout: 60_000 }, async () => {
    const before = performance.now()
    await describe(slow)
    const alone = performance.now() - before
    const answers = await Promise.all(
      Array.from({ length: 60 }, () => describe(slow, { timeoutMs: 12 * alone })),
    )
    expect(answers.map(({ width }) => width)).toEqual(Array.from({ length: 60 }, () => 1500))
  })

  it('does not start what was ended while it waited', async () => {
    const controller = new AbortController()
    const answers = Array.from({ length: 40 }, (_, i) =>
      describe(slow, i < 10 ? {} : { signal: controller.signal }),
    )
    const ended = Promise.allSettled(answers.slice(10))
    controller.abort()
    for (const answer of await ended)
      expect(answer).toMatchObject({ status: 'rejected', reason: { code: 'aborted' } })
    await Promise.all(answers.slice(0, 10))
    await expect(describe(slow, { timeoutMs: 1 })).rejects.toSatisfy(hasCode('timeout'))
    expect(await describe(slow)).toMatchObject({ width: 1500 })
  })
})

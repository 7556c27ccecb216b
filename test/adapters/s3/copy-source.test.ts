import { describe, expect, test } from 'vitest'
import { CopySource } from '../../../src/adapters/s3/copy-source.ts'

const MISSING = Object.assign(new Error('no such key'), { name: 'NoSuchKey' })

/** What a copy sends to a server that finds only what `finds` says. */
async function sentTo(finds: (source: string) => boolean, ...sources: { key: string; etag?: string }[]) {
  const copySource = new CopySource('photos')
  const sent: string[] = []
  const outcomes: string[] = []
  for (const source of sources) {
    const outcome = await copySource
      .copy(source, async input => {
        sent.push(input.CopySource)
        if (!finds(input.CopySource)) throw MISSING
        return 'copied'
      })
      .catch((error: Error) => error.name)
    outcomes.push(outcome)
  }
  return { sent, outcomes }
}

describe('the source of a copy', () => {
  test('is encoded, and where that is found nothing else is sent', async () => {
    const { sent } = await sentTo(() => true, { key: 'a b/ü', etag: 'e' })
    expect(sent).toEqual(['photos/a%20b/%C3%BC'])
  })

  test('is sent as it is to a server that decodes nothing, once that is known at the first try', async () => {
    const { sent, outcomes } = await sentTo(
      source => !source.includes('%'),
      { key: 'a b', etag: 'e' },
      { key: 'c d', etag: 'f' },
    )
    expect(sent).toEqual(['photos/a%20b', 'photos/a b', 'photos/c d'])
    expect(outcomes).toEqual(['copied', 'copied'])
  })

  test('is never sent as it is where another server would decode it, or where no etag pins it', async () => {
    const { sent, outcomes } = await sentTo(
      () => false,
      { key: 'a%20b', etag: 'e' },
      { key: 'a b' },
      { key: 'plain', etag: 'e' },
    )
    expect(sent).toEqual(['photos/a%2520b', 'photos/a%20b', 'photos/plain'])
    expect(outcomes).toEqual(['NoSuchKey', 'NoSuchKey', 'NoSuchKey'])
  })
})

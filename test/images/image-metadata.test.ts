import { describe, expect, it } from 'vitest'
import { imageMetadata, readImageMetadata } from '../../src/images/index.ts'

const HASH = 'LEHV6nWB2yk8pyo0adR*.7kCMdnj'

describe('imageMetadata', () => {
  it('comes back as it went', () => {
    const described = {
      type: 'image/gif',
      width: 4032,
      height: 3024,
      animated: true,
      alpha: true,
      blurhash: HASH,
    }
    const metadata = imageMetadata(described)
    expect(metadata).toEqual({
      width: '4032',
      height: '3024',
      blurhash: HASH,
      animated: 'true',
      alpha: 'true',
    })
    const { type, ...known } = described
    expect(readImageMetadata({ metadata })).toEqual(known)
  })

  it('leaves out what is unknown or does not hold', () => {
    const metadata = imageMetadata({ type: 'image/jpeg', width: 1, height: 2, animated: false, alpha: false })
    expect(metadata).toEqual({ width: '1', height: '2' })
  })

  it.each([
    ['no metadata', undefined],
    ['other metadata', { album: 'summer' }],
    [
      'values that anyone may have written',
      { width: '-1', height: '1e3', blurhash: 'not one', animated: 'yes', alpha: '1' },
    ],
    ['numbers that are none', { width: '0', height: '99999999999', blurhash: `${HASH} ` }],
  ])('reads %s as unknown', (_, metadata) => {
    expect(readImageMetadata({ metadata })).toEqual({
      width: null,
      height: null,
      blurhash: '',
      animated: false,
      alpha: false,
    })
  })
})

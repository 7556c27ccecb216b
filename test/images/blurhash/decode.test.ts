import { decode } from 'blurhash'
import { describe, expect, it } from 'vitest'
import { decodeBlurhash, encodeBlurhash, isBlurhash } from '../../../src/images/index.ts'
import { refused } from '../../support/refused.ts'
import { sampleImages } from './sample-images.ts'

const HASH = 'LEHV6nWB2yk8pyo0adR*.7kCMdnj'

describe('decodeBlurhash', () => {
  it('gives the pixels of npm blurhash for hashes of every count of components', () => {
    for (const [index, { name, pixels, width, height }] of sampleImages(81, 3).entries()) {
      const hash = encodeBlurhash(pixels, width, height, 1 + (index % 9), 1 + Math.floor(index / 9))
      for (const [w, h] of [
        [32, 32],
        [7, 20],
      ] as const)
        expect(
          Buffer.compare(Buffer.from(decodeBlurhash(hash, w, h)), Buffer.from(decode(hash, w, h))),
          name,
        ).toBe(0)
    }
  })

  it('makes the contrast stronger by punch, as npm blurhash does for odd numbers', () => {
    expect(decodeBlurhash(HASH, 8, 8, 3)).toEqual(decode(HASH, 8, 8, 3))
    expect(decodeBlurhash(HASH, 8, 8, 2)).not.toEqual(decodeBlurhash(HASH, 8, 8, 3))
  })

  it.each([
    ['nothing', ''],
    ['a short one', 'LEHV6'],
    ['one that lacks a digit', HASH.slice(0, -1)],
    ['one with a digit too many', `${HASH}0`],
    ['a digit that is none', `${HASH.slice(0, -1)}"`],
    ['a letter that looks like one', `${HASH.slice(0, -1)}é`],
    ['a colour out of range', `L~~~~~${HASH.slice(6)}`],
    ['a component out of range', `${HASH.slice(0, -2)}~~`],
    ['ten components', `~0${'0'.repeat(42)}`],
    ['what is no text', undefined as unknown as string],
  ])('refuses %s', (_, hash) => {
    expect(isBlurhash(hash)).toBe(false)
    expect(() => decodeBlurhash(hash, 8, 8)).toThrow(refused(/^decodeBlurhash: /))
  })

  it.each([
    [0, 8, 1],
    [8, 1.5, 1],
    [5000, 5000, 1],
    [8, 8, 0],
    [8, 8, Number.NaN],
  ])('refuses %d×%d with punch %d', (width, height, punch) => {
    expect(() => decodeBlurhash(HASH, width, height, punch)).toThrow(refused(/^decodeBlurhash: /))
  })
})

describe('isBlurhash', () => {
  it('takes what the encoder makes', () => {
    for (const { pixels, width, height } of sampleImages(60, 5))
      expect(isBlurhash(encodeBlurhash(pixels, width, height, 4, 4))).toBe(true)
  })
})

import { deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { expect, describe as group, it } from 'vitest'
import { describe } from '../../../src/images/index.ts'
import { hasCode } from '../../support/has-code.ts'
import { chunk, withChunks } from './png-chunks.ts'
import { picture, svg } from './sample-files.ts'

const png = await picture(20, 10).png().toBuffer()

/** Chunks of texts: 7.5 MB in 7 KB, below what libpng refuses by itself. */
const packed = deflateSync(Buffer.alloc(7_500_000, ' '))
const TEXTS: Record<string, Buffer> = {
  zTXt: chunk('zTXt', Buffer.concat([Buffer.from('key\0\0'), packed])),
  'packed iTXt': chunk('iTXt', Buffer.concat([Buffer.from('key\0\x01\0\0\0'), packed])),
}

group('describe, of the head of a PNG', () => {
  it.each(Object.keys(TEXTS))(
    'refuses many %s, which would take gigabytes, before they are unpacked',
    async kind => {
      const bomb = withChunks(
        png,
        Array.from({ length: 50 }, () => TEXTS[kind]!),
      )
      expect(bomb.length).toBeLessThan(500_000)
      const before = process.memoryUsage.rss()
      await expect(describe(bomb)).rejects.toSatisfy(hasCode('too-large'))
      expect(process.memoryUsage.rss() - before).toBeLessThan(64 * 2 ** 20)
    },
  )

  it('refuses plain texts of 70 MB, and a hundred thousand empty chunks', async () => {
    const plain = chunk('tEXt', Buffer.concat([Buffer.from('key\0'), Buffer.alloc(7_000_000, ' ')]))
    const texts = withChunks(
      png,
      Array.from({ length: 10 }, () => plain),
    )
    const empty = withChunks(png, [Buffer.alloc(12 * 100_000, chunk('abCd', Buffer.alloc(0)))])
    for (const bomb of [texts, empty]) await expect(describe(bomb)).rejects.toSatisfy(hasCode('too-large'))
  })

  it('takes the texts that programs write', async () => {
    const usual = withChunks(png, [
      chunk('tEXt', Buffer.from('Software\0made by hand')),
      chunk('zTXt', Buffer.concat([Buffer.from('Raw profile type iptc\0\0'), deflateSync('0a')])),
      chunk('iTXt', Buffer.from('XML:com.adobe.xmp\0\0\0\0\0<x:xmpmeta xmlns:x="adobe:ns:meta/"/>')),
    ])
    expect(await describe(usual)).toEqual(await describe(png))
  })

  it('finds an animation behind a long text, however the stream was cut', async () => {
    const animated = withChunks(png, [
      chunk('iTXt', Buffer.concat([Buffer.from('key\0\0\0\0\0'), Buffer.alloc(9000, 'x')])),
      chunk('acTL', Buffer.from([0, 0, 0, 2, 0, 0, 0, 0])),
    ])
    async function* pieces() {
      for (let at = 0; at < animated.length; at += 1000) yield animated.subarray(at, at + 1000)
    }
    expect((await describe(animated)).animated).toBe(true)
    expect((await describe(pieces())).animated).toBe(true)
  })
})

group('describe, of the size of an SVG', () => {
  /** Ten uses of ten uses of …: to measure it all is to look at a billion squares. */
  const bomb =
    '<g id="g0"><rect width="1" height="1"/></g>' +
    Array.from({ length: 9 }, (_, i) => `<g id="g${i + 1}">${`<use href="#g${i}"/>`.repeat(10)}</g>`).join('')

  it.each([
    '',
    'width="100%" height="100%"',
    'width="auto"',
    'style="width: 9px; height: 9px"',
    'viewBox="0 0 0 0"',
    'width="0.2" height="9"',
    'width="&size;" height="9"',
  ])('measures nothing where it is not said: %j', async attributes => {
    const before = performance.now()
    await expect(describe(svg(bomb, attributes))).rejects.toSatisfy(hasCode('invalid-argument'))
    expect(performance.now() - before).toBeLessThan(1000)
  })

  it.each([
    'width="120" height="80"',
    'width="120.4" height="80.6"',
    'width=" 12px " height="+1.5e1PX"',
    'width="1in" height="2.54cm"',
    'width="10mm" height="2pc"',
    "width = '10pt' height\n=\n'9'",
    'viewBox="0 0 40 20"',
    'viewBox=" -5,-5, 40.7 , 20.2 "',
    'width="80" viewBox="0 0 40 20"',
    'height="80" viewBox="0 0 40 20"',
    'width="100%" height="100%" viewBox="0 0 40 20"',
    'width="auto" height="auto" viewBox="0 0 40 20"',
  ])('is what sharp sees in %s', async attributes => {
    const file = svg('<rect width="30" height="20"/>', attributes)
    const { width, height } = await sharp(Buffer.from(file)).metadata()
    expect(await describe(file)).toEqual({
      type: 'image/svg+xml',
      width,
      height,
      animated: false,
      alpha: true,
    })
  })

  it('is of the root, behind all that may stand before it', async () => {
    const other = '<svg width="1" height="1">'
    const prolog = `\ufeff<?xml version="1.0"?>\n<!-- ${other} -->
      <!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "svg11.dtd" [ <!ENTITY ns "a"> <!-- ${other} --> ]>\n`
    expect(await describe(prolog + svg('<svg width="3" height="3"/>'))).toMatchObject({
      width: 120,
      height: 80,
    })
    await expect(describe(`<?xml version="1.0"?><a>${svg('')}</a>`)).rejects.toSatisfy(
      hasCode('invalid-argument'),
    )
  })

  it('is read in a moment, whatever stands there', async () => {
    const long = 'x'.repeat(60_000)
    const files = [
      `<svg ${' '.repeat(60_000)}`,
      `<svg width="${'1'.repeat(60_000)}x"`,
      `<svg ${'a="" '.repeat(15_000)}`,
      `<svg viewBox="${'1 '.repeat(30_000)}"`,
      `<svg/><!DOCTYPE ${long}[${'] '.repeat(20_000)}`,
      `<?xml?><!-- <svg --><!DOCTYPE ${'[]'.repeat(30_000)}`,
      `<?xml?><!-- <svg -->${'<!--'.repeat(15_000)}`,
      `<?xml?><!-- <svg --><!DOCTYPE a[${'] '.repeat(30_000)}`,
    ]
    for (const file of files) {
      const before = performance.now()
      await describe(file).catch(() => {})
      expect(performance.now() - before, file.slice(0, 40)).toBeLessThan(200)
    }
  })
})

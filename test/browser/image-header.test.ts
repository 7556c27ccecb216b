import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { readImageHeader } from '../../src/browser/image-header.ts'
import { animation, corners, exifPhoto } from './photos.ts'

const read = (bytes: Uint8Array) => readImageHeader(new Blob([new Uint8Array(bytes)]))

describe('the header of an image', () => {
  it.each(['jpeg', 'png', 'gif'] as const)('tells type and size of a %s', async format => {
    const image = await corners()[format]().toBuffer()
    const still = { turned: false, animated: false }
    expect(await read(image)).toEqual({ type: `image/${format}`, width: 160, height: 120, ...still })
  })

  it.each(['webp', 'avif'] as const)('tells the type of a %s', async format => {
    expect(await read(await corners()[format]().toBuffer())).toMatchObject({
      type: `image/${format}`,
      animated: false,
    })
  })

  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'tells whether EXIF orientation %i turns it, in either byte order',
    async orientation => {
      const photo = await exifPhoto(orientation)
      expect(await read(photo)).toMatchObject({ turned: orientation > 1 })
      const at = Buffer.from(photo).indexOf('Exif\0\0') + 6
      const ours = Buffer.from(photo.subarray(at, at + 2)).toString()
      const other = ours === 'II' ? 'MM' : 'II'
      // One directory with one entry is all that is needed.
      const entry = Buffer.alloc(26)
      const number = (value: number, bytes: number, to: number) =>
        other === 'II' ? entry.writeUIntLE(value, to, bytes) : entry.writeUIntBE(value, to, bytes)
      entry.write(other)
      for (const [value, bytes, to] of [
        [42, 2, 2],
        [8, 4, 4],
        [1, 2, 8],
        [0x0112, 2, 10],
        [3, 2, 12],
        [1, 4, 14],
        [orientation, 2, 18],
      ] as const)
        number(value, bytes, to)
      const turned = Buffer.from(photo)
      entry.copy(turned, at)
      expect(await read(turned)).toMatchObject({ turned: orientation > 1, type: 'image/jpeg' })
    },
  )

  it('finds the size of a JPEG behind large segments', async () => {
    const photo = Buffer.from(await exifPhoto(6))
    const comment = Buffer.alloc(65_002)
    comment.writeUInt32BE(0xfffefde8)
    const long = Buffer.concat([photo.subarray(0, 2), comment, comment, comment, photo.subarray(2)])
    expect(await read(long)).toMatchObject({ width: 120, height: 160, turned: true })
  })

  it('tells what moves, and what has one frame only', async () => {
    for (const format of ['gif', 'webp'] as const)
      expect(await read(await animation(format)), format).toMatchObject({
        animated: true,
        width: 20,
        height: 10,
      })
    const png = await corners().png().toBuffer()
    const control = Buffer.alloc(20)
    control.writeUInt32BE(8)
    control.write('acTL', 4)
    const moving = Buffer.concat([png.subarray(0, 33), control, png.subarray(33)])
    expect(await read(moving)).toMatchObject({ type: 'image/png', animated: true })
    const words = await sharp(await corners().png().toBuffer())
      .withExif({ IFD0: { Copyright: 'IDAT acTL' } })
      .png()
      .toBuffer()
    expect(await read(words)).toMatchObject({ animated: false })
  })

  it('gives what it knows of a file that is cut anywhere, or changed anywhere, and always ends', async () => {
    const images = [
      await exifPhoto(6),
      await corners(20, 20).png().toBuffer(),
      await animation('gif'),
      await animation('webp'),
    ]
    for (const image of images) {
      const { type } = await read(image)
      for (let length = 0; length < Math.min(image.length, 700); length++) {
        const header = await read(image.subarray(0, length))
        expect(['', type]).toContain(header.type)
        const changed = Buffer.from(image)
        changed[length]! ^= 0xff
        await read(changed)
      }
    }
  })

  it('knows nothing of other files', async () => {
    for (const text of ['', 'x', 'hello, this is a text', '<svg xmlns="http://www.w3.org/2000/svg"/>'])
      expect(await read(Buffer.from(text))).toMatchObject({ type: '', width: 0, animated: false })
  })
})

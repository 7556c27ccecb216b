import { Readable } from 'node:stream'
import sharp from 'sharp'
import { expect, it, vi } from 'vitest'
import { memory } from '../../../src/adapters/memory.ts'
import { describe as describeImage, imageMetadata, withImageMetadata } from '../../../src/images/index.ts'
import { noise } from '../describe/sample-files.ts'

/** Folders that were to be removed, and were not: another program holds a file in them, as on Windows. */
const stuck = vi.hoisted(() => [] as string[])
const real = vi.hoisted(() => ({}) as { rm: typeof import('node:fs/promises').rm })
vi.mock('node:fs/promises', async original => {
  const promises = await original<typeof import('node:fs/promises')>()
  real.rm = promises.rm
  return {
    ...promises,
    async rm(path: string) {
      stuck.push(path)
      throw Object.assign(new Error('EBUSY: resource busy or locked'), { code: 'EBUSY' })
    },
  }
})

it('stores and describes an image whose temporary file can not be removed', async () => {
  const image = await sharp(noise(1200 * 1200 * 3), { raw: { width: 1200, height: 1200, channels: 3 } })
    .jpeg({ quality: 95 })
    .toBuffer()
  try {
    const described = await describeImage(Readable.from([image]))
    const info = await withImageMetadata(memory()).upload('a', Readable.from([image]))
    expect(info).toMatchObject({ size: image.length, metadata: imageMetadata(described) })
    expect(stuck.length).toBeGreaterThan(0)
  } finally {
    for (const folder of new Set(stuck)) await real.rm(folder, { recursive: true, force: true })
  }
})

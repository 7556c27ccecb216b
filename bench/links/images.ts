/** The blurhash encoder against npm's, and `describe` of a photo against what sharp needs to make it 32 pixels large. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { race, type Scale, type Section, timed } from '../section.ts'
import { encodersAgree, type ImagesOptions } from './contenders/images.ts'

const BARE = 'sharp, resized to 32×32'
const MODULE = new URL('./contenders/images.ts', import.meta.url)
const contender = (options: ImagesOptions) => timed(options.name, MODULE, options)

export async function benchBlurhash(scale: Scale): Promise<Section> {
  if (!encodersAgree()) throw new Error('the blurhash encoders do not agree')
  const names = ['stowage', 'npm blurhash']
  const { rates, cpuMillis, cpuRatio } = await race(
    names.map(name => contender({ name })),
    scale,
  )
  return {
    title: 'A blurhash of 32×32 pixels, 4×4 components',
    how: 'The same pixels, the same bytes out.',
    rates,
    figures: ['cpuMillis'],
    bars: [
      ...cpuMillis('a blurhash of 32×32, CPU ms', 'stowage', { atMost: 0.03 }),
      ...cpuRatio('npm blurhash ÷ stowage, CPU', 'npm blurhash', 'stowage'),
    ],
  }
}

export async function benchDescribe(folder: string, scale: Scale): Promise<Section[]> {
  const sections: Section[] = []
  for (const [title, photo] of Object.entries(await photos())) {
    const path = join(folder, `${sections.length}.jpg`)
    await writeFile(path, photo)
    const names = ['stowage describe', BARE]
    const { rates, cpuRatio } = await race(
      names.map(name => contender({ name, path })),
      // A call takes longer than the others' rounds.
      { ...scale, seconds: scale.seconds * 2 },
    )
    sections.push({
      title: `${title} of 12 megapixels: type, size, alpha, blurhash`,
      how: `4000×3000 at quality 90, ${(photo.length / 2 ** 20).toFixed(1)} MiB in memory. CPU of all threads.`,
      rates,
      figures: ['cpuMillis', 'millis'],
      bars: cpuRatio(`describe of ${title.toLowerCase()} ÷ bare sharp, CPU`, names[0]!, BARE, {
        atMost: 1.2,
      }),
    })
  }
  return sections
}

/** Photos as cameras make them: soft shapes under grain, so that they are neither flat nor noise. */
async function photos(): Promise<Record<string, Buffer>> {
  const size = { width: 4000, height: 3000 }
  const shapes = Buffer.from(new Uint8Array(40 * 30 * 3).map((_, at) => (at * 2_654_435_761) >>> 24))
  const soft = await sharp(shapes, { raw: { width: 40, height: 30, channels: 3 } })
    .resize({ ...size, kernel: 'cubic' })
    .png({ compressionLevel: 1 })
    .toBuffer()
  const noise = { type: 'gaussian', mean: 128, sigma: 12 } as const
  const grain = await sharp({ create: { ...size, channels: 3, background: '#888', noise } })
    .png({ compressionLevel: 1 })
    .toBuffer()
  const quality = { quality: 90 }
  const jpeg = await sharp(soft)
    .composite([{ input: grain, blend: 'overlay' }])
    .jpeg(quality)
    .toBuffer()
  const turned = await sharp(jpeg).withMetadata({ orientation: 6 }).jpeg(quality).toBuffer()
  return { 'A JPEG': jpeg, 'A turned JPEG': turned }
}

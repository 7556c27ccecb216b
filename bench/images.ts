/**
 * `npm run build:quick && tsx bench/images.ts`: the blurhash encoder against npm's, and `describe` of a photo of 12
 * megapixels against what sharp needs to make it 32 pixels large. `--quick` tries the bench itself.
 *
 * CPU of this process, all its threads, one at a time and by turns: a noisy moment hits all of them.
 */
import { decode as npmDecode, encode as npmEncode } from 'blurhash'
import sharp from 'sharp'
import { decodeBlurhash, describe, encodeBlurhash } from '../dist/images.js'
import { type Spread, spread } from './spread.ts'

const quick = process.argv.includes('--quick')
const ROUNDS = quick ? 2 : 15
const WARM_UP_ROUNDS = quick ? 0 : 3
const NEED = { encodeMs: 0.03, describeRatio: 1.2 }

const pixels = new Uint8ClampedArray(32 * 32 * 4).map((_, at) => (at * 7919 + (at >> 5) * 104_729) % 256)
const hash = encodeBlurhash(pixels, 32, 32, 4, 4)
if (hash !== npmEncode(pixels, 32, 32, 4, 4)) throw new Error('the encoders do not agree')

await contest(
  'A blurhash of 32×32 pixels, 4×4 components, CPU ms each',
  {
    stowage: repeated(quick ? 50 : 1000, () => encodeBlurhash(pixels, 32, 32, 4, 4)),
    'npm blurhash': repeated(quick ? 5 : 20, () => npmEncode(pixels, 32, 32, 4, 4)),
  },
  { stowage: `below ${NEED.encodeMs} ms` },
)
await contest('The same decoded to 32×32, CPU ms each', {
  stowage: repeated(quick ? 10 : 100, () => decodeBlurhash(hash, 32, 32)),
  'npm blurhash': repeated(quick ? 10 : 100, () => npmDecode(hash, 32, 32)),
})

for (const [name, photo] of Object.entries(await photos())) {
  const bare = () => sharp(photo).resize(32, 32, { fit: 'inside' }).raw().toBuffer()
  await contest(
    `${name} of 4000×3000, ${(photo.length / 2 ** 20).toFixed(1)} MiB, CPU ms each`,
    {
      describe: repeated(quick ? 1 : 3, () => describe(photo)),
      'sharp, resized to 32×32': repeated(quick ? 1 : 3, bare),
    },
    { describe: `at most ${NEED.describeRatio} × sharp` },
  )
}

/** Photos as cameras make them: soft shapes under grain, so that they are neither flat nor noise. */
async function photos(): Promise<Record<string, Buffer>> {
  const grain = { type: 'gaussian', mean: 128, sigma: 12 } as const
  const shapes = Buffer.from(new Uint8Array(40 * 30 * 3).map((_, at) => (at * 2_654_435_761) >>> 24))
  const soft = await sharp(shapes, { raw: { width: 40, height: 30, channels: 3 } })
    .resize(4000, 3000, { kernel: 'cubic' })
    .png({ compressionLevel: 1 })
    .toBuffer()
  const noise = await sharp({
    create: { width: 4000, height: 3000, channels: 3, background: '#888', noise: grain },
  })
    .png({ compressionLevel: 1 })
    .toBuffer()
  const jpeg = await sharp(soft)
    .composite([{ input: noise, blend: 'overlay' }])
    .jpeg({ quality: 90 })
    .toBuffer()
  return {
    'A JPEG': jpeg,
    'A turned JPEG': await sharp(jpeg).withMetadata({ orientation: 6 }).jpeg({ quality: 90 }).toBuffer(),
  }
}

/** CPU milliseconds for each call, of `count` of them. */
function repeated(count: number, work: () => unknown): () => Promise<number> {
  return async () => {
    const before = process.cpuUsage()
    for (let i = 0; i < count; i++) {
      const result = work()
      if (result instanceof Promise) await result
    }
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1000 / count
  }
}

async function contest(
  title: string,
  contenders: Record<string, () => Promise<number>>,
  needed: Record<string, string> = {},
): Promise<void> {
  const rounds: Record<string, number[]> = Object.fromEntries(Object.keys(contenders).map(name => [name, []]))
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++)
    for (const [name, once] of Object.entries(contenders)) {
      const ms = await once()
      if (round >= 0) rounds[name]!.push(ms)
    }
  const last = spread(Object.values(rounds).at(-1)!)
  console.log(`\n${title}`)
  console.table(
    Object.fromEntries(
      Object.entries(rounds).map(([name, values]) => {
        const figure = spread(values)
        return [
          name,
          {
            ms: show(figure),
            'of the last': (figure.median / last.median).toFixed(3),
            needed: needed[name] ?? '',
          },
        ]
      }),
    ),
  )
}

function show({ median, low, high }: Spread): string {
  return `${median.toPrecision(3)} (${low.toPrecision(3)}–${high.toPrecision(3)})`
}

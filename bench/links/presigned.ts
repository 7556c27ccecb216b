/** What windows of `windowSeconds` add to signing, or spare. For information: no bar is set. */
import { race, type Scale, type Section, timed } from '../section.ts'

const MODULE = new URL('./contenders/presigned.ts', import.meta.url)

export async function benchPresigned(scale: Scale): Promise<Section> {
  const [plain, windowed] = ['stowage', 'stowage, windowSeconds']
  const { rates, cpuRatio } = await race(
    [timed(plain, MODULE, {}), timed(windowed, MODULE, { windowSeconds: 86_400 })],
    scale,
  )
  return {
    title: 'Presigned GET of S3',
    how: 'One signedUrl after the other, of 100 keys in turn, without a cache. With windowSeconds: 86400 the time of signing is rounded down, so that URLs stay the same for a day.',
    rates,
    figures: ['cpuRate', 'cpuMicros'],
    bars: cpuRatio('presigned with windowSeconds ÷ without, CPU', windowed, plain),
  }
}

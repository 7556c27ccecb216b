/** Signed imgproxy URLs against HMAC alone and against the peers. */
import { race, type Scale, type Section, timed } from '../section.ts'

const PEERS = ['@imgproxy/imgproxy-node', 'imgproxy', '@bitpatty/imgproxy-url-builder']
const OURS = [
  { name: 'stowage, preset', bare: 'HMAC alone, plain', atLeast: 0.8 },
  { name: 'stowage, options each call', bare: 'HMAC alone, plain', atLeast: 0.55 },
  { name: 'stowage, preset, base64', bare: 'HMAC alone, base64', atLeast: 0.8 },
  { name: 'stowage, options each call, base64', bare: 'HMAC alone, base64', atLeast: 0.55 },
]
const MODULE = new URL('./contenders/imgproxy-urls.ts', import.meta.url)

export async function benchImgproxyUrls(scale: Scale): Promise<Section> {
  const names = new Set([...OURS.flatMap(({ name, bare }) => [bare, name]), ...PEERS])
  const { rates, cpuRateRatio } = await race(
    [...names].map(name => timed(name, MODULE, { name })),
    scale,
  )
  return {
    title: 'Signed imgproxy URLs',
    how: 'rs:fit:400:0 as webp of 1,000 sources in turn, in a second of CPU. HMAC alone: createHmac of node:crypto over salt and path, as base64url, with the paths that ours signs; ours makes the same HMAC of two one-shot hashes. The peers take base64 sources.',
    rates,
    figures: ['cpuRate', 'cpuMicros'],
    bars: OURS.flatMap(({ name, bare, atLeast }) =>
      cpuRateRatio(`${name} ÷ ${bare}`, name, bare, { atLeast }),
    ),
  }
}

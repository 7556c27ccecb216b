/** Blurhash encoders on the same pixels, and what looks at the same photo. */
import { readFileSync } from 'node:fs'
import { encode as npmEncode } from 'blurhash'
import sharp from 'sharp'
import { describe, encodeBlurhash } from '../../../dist/images.js'
import type { TimedContender } from '../../timed-contender.ts'

export interface ImagesOptions {
  name: string
  /** Of the photo, for those that look at one. */
  path?: string
}

const PIXELS = new Uint8ClampedArray(32 * 32 * 4).map((_, at) => (at * 7919 + (at >> 5) * 104_729) % 256)

export function encodersAgree(): boolean {
  return encodeBlurhash(PIXELS, 32, 32, 4, 4) === npmEncode(PIXELS, 32, 32, 4, 4)
}

export async function create({ name, path }: ImagesOptions): Promise<TimedContender> {
  const photo = path === undefined ? new Uint8Array() : readFileSync(path)
  const contenders: Record<string, Omit<TimedContender, 'atOnce'>> = {
    stowage: { counts: 10, operate: tenTimes(() => encodeBlurhash(PIXELS, 32, 32, 4, 4)) },
    'npm blurhash': { operate: () => npmEncode(PIXELS, 32, 32, 4, 4) },
    'stowage describe': { operate: () => describe(photo) },
    'sharp, resized to 32×32': {
      operate: () => sharp(photo).resize(32, 32, { fit: 'inside' }).raw().toBuffer(),
    },
  }
  return { atOnce: 1, ...contenders[name]! }
}

function tenTimes(work: () => unknown): () => void {
  return () => {
    for (let at = 0; at < 10; at++) work()
  }
}

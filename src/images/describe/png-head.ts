import { imageFailure } from './image-failure.ts'
import type { ImageFile } from './image-file.ts'

/** What libpng unpacks a packed text to at most; a few KB are enough for that. */
const PACKED_TEXT_BYTES = 8_000_000
/** All texts together: sharp takes several times that in memory. Some eight are usual, of a few KB. */
const MAX_TEXT_BYTES = 8 * PACKED_TEXT_BYTES
/** Usual are some twenty. */
const MAX_CHUNKS = 1000
/** A chunk's length and name, and of its data a keyword and the two bytes behind it. */
const CHUNK_HEAD_BYTES = 8 + 79 + 2

/**
 * Reads the chunks of a PNG that come before its pixels (PNG specification, third edition, sections 5 and 11.3.3).
 *
 * sharp unpacks every text in them, twice, and has no limit for it: 350 KB of packed spaces take 2 GB. It reads the first
 * frame of an animation and does not tell that there are more.
 *
 * @throws `too-large` where texts could unpack to more than 64 MB, or there are more than 1,000 chunks
 */
export async function readPngHead(file: ImageFile): Promise<{ animated: boolean }> {
  let animated = false
  let texts = 0
  for (let at = 8, chunks = 0; ; chunks++) {
    const head = Buffer.from(await file.read(at, CHUNK_HEAD_BYTES))
    if (head.length < 8) break
    const length = head.readUInt32BE(0)
    const name = head.toString('latin1', 4, 8)
    if (name === 'IDAT') break
    if (name === 'acTL') animated = true
    if (/^(?:tEXt|zTXt|iTXt)$/.test(name)) texts += isPacked(name, head) ? PACKED_TEXT_BYTES : length
    if (texts > MAX_TEXT_BYTES || chunks > MAX_CHUNKS)
      throw imageFailure('too-large', 'the PNG has more texts or chunks before its pixels than are unpacked')
    at += 12 + length
  }
  return { animated }
}

function isPacked(name: string, head: Buffer): boolean {
  if (name !== 'iTXt') return name === 'zTXt'
  const keywordEnd = head.indexOf(0, 8)
  return keywordEnd < 0 || head[keywordEnd + 1] !== 0
}

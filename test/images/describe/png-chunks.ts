/** One chunk of a PNG: length, name, data, checksum. */
export function chunk(name: string, data: Uint8Array): Buffer {
  const whole = Buffer.alloc(12 + data.length)
  whole.writeUInt32BE(data.length, 0)
  whole.write(name, 4, 'latin1')
  whole.set(data, 8)
  whole.writeInt32BE(crcOf(whole.subarray(4, 8 + data.length)), 8 + data.length)
  return whole
}

/** A PNG with further chunks before its pixels. */
export function withChunks(png: Buffer, chunks: Buffer[]): Buffer {
  const headEnd = 8 + 12 + 13
  return Buffer.concat([png.subarray(0, headEnd), ...chunks, png.subarray(headEnd)])
}

function crcOf(bytes: Buffer): number {
  let crc = ~0
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  }
  return ~crc
}

/**
 * Opaque RGBA pixels as a BMP: of the formats that all browsers show the one without a compressor and a checksum, so
 * that its writer is half as long as a PNG's.
 */
export function bmp(pixels: Uint8ClampedArray, width: number, height: number): Uint8Array {
  // Rows end at a multiple of four bytes.
  const rowBytes = (width * 3 + 3) & ~3
  const bytes = new Uint8Array(54 + rowBytes * height)
  const view = new DataView(bytes.buffer)
  // BITMAPFILEHEADER, then BITMAPINFOHEADER. A negative height says that the upper row comes first.
  view.setUint16(0, 0x424d)
  const fields = { 2: bytes.length, 10: 54, 14: 40, 18: width, 22: -height, 26: 1 | (24 << 16) }
  for (const [at, value] of Object.entries(fields)) view.setInt32(Number(at), value, true)
  for (let pixel = 0; pixel < width * height; pixel++) {
    const at = 54 + Math.floor(pixel / width) * rowBytes + (pixel % width) * 3
    // Blue, green, red.
    for (let channel = 0; channel < 3; channel++) bytes[at + channel] = pixels[pixel * 4 + 2 - channel]!
  }
  return bytes
}

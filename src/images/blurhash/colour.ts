/** A channel of sRGB, 0 to 255, as light, 0 to 1. Powers are as npm blurhash takes them, to the last bit. */
export function toLight(channel: number): number {
  const value = channel / 255
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
}

let table: Float64Array | undefined

/** `toLight` of all 256 channels; made once, as powers take longer than a small image. */
export function lightOfChannels(): Float64Array {
  table ??= Float64Array.from({ length: 256 }, (_, channel) => toLight(channel))
  return table
}

/** Light as a channel of sRGB, before it is cut to a whole number. */
export function toChannel(light: number): number {
  const value = Math.max(0, Math.min(1, light))
  return (value <= 0.0031308 ? value * 12.92 : 1.055 * value ** (1 / 2.4) - 0.055) * 255 + 0.5
}

/** `value` to the power of `exponent`, with its sign kept. */
export function signedPower(value: number, exponent: number): number {
  return Math.sign(value) * Math.abs(value) ** exponent
}

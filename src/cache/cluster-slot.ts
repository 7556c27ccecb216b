/**
 * The slot that Redis Cluster keeps a key in: CRC16 (XMODEM) of the part between the first `{` and the next `}`, or of
 * the whole key, modulo 16,384. https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tag
 */
export function clusterSlot(key: string): number {
  const open = key.indexOf('{')
  const close = open < 0 ? -1 : key.indexOf('}', open + 1)
  const hashed = close > open + 1 ? key.slice(open + 1, close) : key
  let crc = 0
  for (const byte of Buffer.from(hashed)) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021
  }
  return crc & 0x3fff
}

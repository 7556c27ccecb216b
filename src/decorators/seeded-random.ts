/**
 * Numbers from 0 to 1, the same for the same seed: splitmix32, of which each step of a counter is mixed until no
 * pattern is left (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
 */
export function seededRandom(seed: number): () => number {
  let counter = seed | 0
  return () => {
    counter = (counter + 0x9e3779b9) | 0
    let mixed = counter ^ (counter >>> 16)
    mixed = Math.imul(mixed, 0x21f0aaad)
    mixed ^= mixed >>> 15
    mixed = Math.imul(mixed, 0x735a2d97)
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32
  }
}

/** `cos(π · component · at / length)` for every `at`, all components of one place beside each other. */
export function cosines(length: number, components: number): Float64Array {
  const table = new Float64Array(length * components)
  for (let at = 0; at < length; at++)
    for (let component = 0; component < components; component++)
      table[at * components + component] = Math.cos((Math.PI * component * at) / length)
  return table
}

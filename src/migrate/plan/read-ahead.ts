/**
 * The same, with up to `most` items asked for before they are wanted, from now on. What fails is told where its item is wanted. Who
 * stops in between ends `source` by its own signal.
 */
export function readAhead<Item>(source: AsyncGenerator<Item>, most: number): AsyncIterable<Item> {
  // A generator answers in the order in which it is asked.
  const ask = () => {
    const next = source.next()
    next.catch(() => {})
    return next
  }
  const asked = Array.from({ length: most }, ask)
  return {
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const { done, value } = await asked.shift()!
        if (done) return
        asked.push(ask())
        yield value
      }
    },
  }
}

import { mapBounded } from '../core/batches.ts'

/** Objects moved at once. */
const CONCURRENCY = 4
/** Items known ahead of the work: so much of a total is known when a bar begins. */
const AHEAD = 2000

/** Works on several items at once, and tells `onItem` of each as soon as it is known, ahead of its turn. */
export async function eachBounded<Item>(
  items: AsyncIterable<Item>,
  onItem: (item: Item) => void,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  await mapBounded(readAhead(items, onItem), CONCURRENCY, work)
}

async function* readAhead<Item>(
  items: AsyncIterable<Item>,
  onItem: (item: Item) => void,
): AsyncIterable<Item> {
  const waiting: Item[] = []
  for await (const item of items) {
    onItem(item)
    waiting.push(item)
    if (waiting.length >= AHEAD) yield waiting.shift()!
  }
  yield* waiting
}

/** Lists that are compared: each in UTF-8 order of its keys, read page by page, never whole in memory. */
import { compareKeys } from './keys.ts'

interface Page<Item> {
  readonly items: readonly Item[]
  readonly keys: readonly string[]
}

async function* withKeys<Item>(
  pages: AsyncIterable<readonly Item[]>,
  keyOf: (item: Item) => string,
): AsyncGenerator<Page<Item>> {
  for await (const items of pages) yield { items, keys: items.map(keyOf) }
}

/** One list, with the page that is read now and the one that is fetched meanwhile. */
export class KeyStream<Item> {
  readonly #pages: AsyncIterator<Page<Item>>
  #page: Page<Item> = { items: [], keys: [] }
  #at = 0
  #next: Promise<IteratorResult<Page<Item>>> | undefined
  #turned = 0

  constructor(pages: AsyncIterable<readonly Item[]>, keyOf: (item: Item) => string) {
    this.#pages = withKeys(pages, keyOf)
  }

  /** The item that comes next; undefined at the end of the page, and of the list. */
  get head(): Item | undefined {
    return this.#page.items[this.#at]
  }

  get key(): string | undefined {
    return this.#page.keys[this.#at]
  }

  /** Pages read so far. */
  get turned(): number {
    return this.#turned
  }

  /** Passes the head over. */
  take(): Item {
    return this.#page.items[this.#at++]!
  }

  /** Sees to it that there is a head, unless the list has ended. */
  async fill(): Promise<void> {
    while (this.head === undefined) {
      const { done, value } = await (this.#next ?? this.#ask())
      if (done) return
      this.#page = value
      this.#at = 0
      this.#turned++
      this.#next = this.#ask()
    }
  }

  /** Releases what an end before the list's end leaves open. */
  async close(): Promise<void> {
    await this.#next?.catch(() => {})
    await this.#pages.return?.()
  }

  #ask(): Promise<IteratorResult<Page<Item>>> {
    const next = this.#pages.next()
    // Told where the page is wanted, and nowhere else.
    next.catch(() => {})
    return next
  }
}

/** What several lists have under one key: an item of each list that names it. */
export type Meeting<Streams> = {
  readonly [Name in keyof Streams]: Streams[Name] extends KeyStream<infer Item> ? Item | undefined : never
}

/** Every key that any of the lists names, in order, once. */
export async function* meetings<Streams extends Readonly<Record<string, KeyStream<unknown>>>>(
  streams: Streams,
): AsyncGenerator<readonly [key: string, meeting: Meeting<Streams>]> {
  const all = Object.entries(streams)
  try {
    for (;;) {
      let least: string | undefined
      for (const [, stream] of all) {
        if (stream.head === undefined) await stream.fill()
        const { key } = stream
        if (key !== undefined && (least === undefined || compareKeys(key, least) < 0)) least = key
      }
      if (least === undefined) return
      const meeting: Record<string, unknown> = {}
      for (const [name, stream] of all) meeting[name] = stream.key === least ? stream.take() : undefined
      yield [least, meeting as Meeting<Streams>]
    }
  } finally {
    await Promise.all(all.map(([, stream]) => stream.close()))
  }
}

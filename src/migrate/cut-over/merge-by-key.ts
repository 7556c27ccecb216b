import { compareKeys } from '../../core/keys.ts'
import { abandon } from '../../decorators/forward.ts'

interface Keyed {
  readonly key: string
}

type Items<Streams> = {
  readonly [Name in keyof Streams]?: Streams[Name] extends AsyncIterable<infer Item> ? Item : never
}

/** Streams in UTF-8 order of their keys, side by side: for each key what every stream has of it. */
export async function* mergeByKey<Streams extends Readonly<Record<string, AsyncIterable<Keyed>>>>(
  streams: Streams,
): AsyncGenerator<Items<Streams> & Keyed> {
  const open = Object.entries(streams).map(([name, stream]) => ({
    name,
    iterator: stream[Symbol.asyncIterator](),
    head: undefined as Keyed | undefined,
  }))
  const turn = async (stream: (typeof open)[number]) => {
    const { value, done } = await stream.iterator.next()
    stream.head = done ? undefined : value
  }
  try {
    await Promise.all(open.map(turn))
    for (;;) {
      const keys = open.flatMap(({ head }) => (head === undefined ? [] : [head.key])).sort(compareKeys)
      const [key] = keys
      if (key === undefined) return
      const met = open.filter(({ head }) => head?.key === key)
      yield { key, ...Object.fromEntries(met.map(({ name, head }) => [name, head])) } as Items<Streams> &
        Keyed
      await Promise.all(met.map(turn))
    }
  } finally {
    for (const { iterator } of open) abandon(iterator)
  }
}

/** A history: what some clients do, and the seed that decides in which order their calls run and which of them fail. */
import { randomOf } from '../support/random.ts'

export type Operation =
  | { readonly do: 'upload'; readonly key: string; readonly condition?: 'absent' | 'unchanged' }
  | { readonly do: 'finalize'; readonly key: string; readonly twice?: boolean }
  | { readonly do: 'copy' | 'move'; readonly from: string; readonly to: string }
  | { readonly do: 'delete'; readonly key: string; readonly condition?: 'unchanged' }
  | { readonly do: 'deleteMany'; readonly keys: readonly string[] }
  | { readonly do: 'restore' | 'download' | 'info'; readonly key: string }
  | { readonly do: 'list' | 'recover' | 'recoverAndWait' }
  | { readonly do: 'advance'; readonly ms: number }

export interface History {
  readonly seed: string
  /** What each client does, one after the other. */
  readonly clients: readonly (readonly Operation[])[]
  readonly replaceGraceMs: number
  readonly restoreMs: number
  readonly createOnly: boolean
  /** Of how many calls one fails in some way; 0: none. */
  readonly faults: number
  /** Calls that pass all the same, by name: `client/operation/call`. */
  readonly calm: readonly string[]
}

/** Files of which the application has rows begin with `r`. */
export const KEYS = ['a.txt', 'b.txt', 'r1.txt', 'r2.txt']
export const hasRow = (key: string) => key.startsWith('r')

const MINUTE = 60_000

export function historyOf(seed: string): History {
  const random = randomOf(`history ${seed}`)
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!
  const keys = KEYS.slice(0, pick([1, 2, 4])).map(
    (_, index, { length }) => KEYS[KEYS.length - length + index]!,
  )
  const operation = (): Operation => {
    const [key, other] = [pick(keys), pick(keys)]
    return pick<() => Operation>([
      () => ({ do: 'upload', key }),
      () => ({ do: 'upload', key }),
      () => ({ do: 'upload', key, condition: 'absent' }),
      () => ({ do: 'upload', key, condition: 'unchanged' }),
      () => ({ do: 'finalize', key }),
      () => ({ do: 'finalize', key, twice: true }),
      () => ({ do: 'copy', from: key, to: other }),
      () => ({ do: 'move', from: key, to: other }),
      () => ({ do: 'delete', key }),
      () => ({ do: 'delete', key }),
      () => ({ do: 'delete', key, condition: 'unchanged' }),
      () => ({ do: 'deleteMany', keys: [...new Set([key, other])] }),
      () => ({ do: 'restore', key }),
      () => ({ do: 'download', key }),
      () => ({ do: 'info', key }),
      () => ({ do: 'list' }),
      () => ({ do: 'recover' }),
      () => ({ do: 'recoverAndWait' }),
      () => ({ do: 'advance', ms: pick([1_000, 31_000, 16 * MINUTE, 25 * MINUTE]) }),
    ])()
  }
  const clients = Array.from({ length: pick([2, 2, 3, 4]) }, () =>
    Array.from({ length: pick([2, 3, 4, 5]) }, operation),
  )
  return {
    seed,
    clients,
    replaceGraceMs: pick([0, 15 * MINUTE]),
    restoreMs: pick([0, 0, 20 * MINUTE]),
    createOnly: pick([true, false]),
    faults: pick([0, 5, 12, 30]),
    calm: [],
  }
}

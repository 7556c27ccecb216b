/** What a process does until it is killed: one step after another, on keys of its own, each with a row of the application's. */

/** Names the text of a file: `<id>/<bytes>`. The application's row of a file holds it. */
export type Content = string

export type Step =
  | { readonly kind: 'upload'; readonly key: string; readonly content: Content }
  | { readonly kind: 'delete'; readonly key: string }
  | { readonly kind: 'copy' | 'move'; readonly key: string; readonly to: string }

/** Content by key. */
export type State = Readonly<Record<string, Content>>

export const LANES = ['a', 'b', 'c'] as const
export type Lane = (typeof LANES)[number]

const KEYS_PER_LANE = 4

export function nextStep(random: () => number, lane: Lane, state: State, id: string): Step {
  const keys = Object.keys(state)
  const any = `${lane}/${Math.floor(random() * KEYS_PER_LANE)}.txt`
  const known = keys[Math.floor(random() * keys.length)]
  const kind = random()
  if (known === undefined || kind < 0.5) {
    // Some are large enough to be killed in the middle of.
    const bytes = random() < 0.2 ? 300_000 : 20 + Math.floor(random() * 2_000)
    return { kind: 'upload', key: any, content: `${id}/${bytes}` }
  }
  if (kind < 0.7) return { kind: 'delete', key: known }
  return { kind: kind < 0.85 || known === any ? 'copy' : 'move', key: known, to: any }
}

export function after(state: State, step: Step): State {
  const { [step.key]: content, ...others } = state
  switch (step.kind) {
    case 'upload':
      return { ...state, [step.key]: step.content }
    case 'delete':
      return others
    case 'copy':
      return { ...state, [step.to]: content! }
    case 'move':
      return { ...others, [step.to]: content! }
  }
}

export function textOf(content: Content): string {
  const [id, bytes] = content.split('/')
  return `${id} `.repeat(Number(bytes)).slice(0, Number(bytes))
}

export const APPLICATION_TABLE = 'CREATE TABLE application (key TEXT PRIMARY KEY, content TEXT NOT NULL)'

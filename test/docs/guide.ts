/**
 * A guide as its reader follows it: the blocks of its page, in order, as steps.
 *
 * What a block is stands behind its language, where a page does not show it:
 *
 * - ` ```sh `: commands, run in the guide's folder. What they export and where they `cd` stays for those that follow.
 *   `exits=6` expects that status. `until=text` is a program that goes on running: the next step comes when it has printed
 *   `text`, and it is ended after the last one.
 * - ` ```text ` behind commands: what they print, on both outputs. `…` stands for anything in a line, a line of its own that
 *   is `…` for any lines.
 * - ` ```sh given `: variables that the reader has values for, `export NAME=…`. Theirs are those of the test's servers.
 * - ` ```ts ` and other languages: a file, named by a comment in its first line (`// app.ts`, `# app.yaml`) or by `file=app.json`.
 *   `// app.ts, goes on` adds to one that is there.
 * - `not-run=reason`: nothing is done, and the test says so.
 *
 * Everything else is an error of the guide, so that no block is left out by mistake.
 */
export type Step =
  | {
      kind: 'commands'
      line: number
      text: string
      exits: number
      /** What is printed, once it is running. */
      until?: string
      prints?: { line: number; text: string }
    }
  | { kind: 'file'; line: number; name: string; text: string; goesOn: boolean }
  | { kind: 'given'; line: number; variables: string[] }
  | { kind: 'not-run'; line: number; language: string; reason: string }

export interface Guide {
  /** For messages: `docs/guides/x.md`. */
  readonly path: string
  readonly title: string
  readonly steps: readonly Step[]
}

interface Block {
  language: string
  info: string
  line: number
  text: string
}

const INFO =
  /^(?:not-run=(?<reason>.+)|exits=(?<exits>\d+)|until=(?<until>.+)|file=(?<file>\S+)|(?<given>given))?$/
const NAME_IN_COMMENT = /^(?:\/\/|#|--|<!--) (?<name>[\w./-]+\.\w+)(?<more>, goes on)?(?: -->)?$/
const VARIABLE = /^export (?<name>[A-Z][A-Z0-9_]*)=\S.*$/

/** @throws naming path and line of the block that it makes nothing of */
export function readGuide(path: string, page: string): Guide {
  const title = /^# (.+)$/m.exec(page)?.[1]
  if (title === undefined) throw new Error(`${path} has no title`)
  const steps: Step[] = []
  for (const block of blocksOf(path, page)) {
    const last = steps.at(-1)
    if (block.language === 'text' && block.info === '' && last?.kind === 'commands' && !last.prints)
      last.prints = { line: block.line, text: block.text }
    else steps.push(stepOf(path, block))
  }
  return { path, title, steps }
}

function stepOf(path: string, { language, info, line, text }: Block): Step {
  const wrong = (why: string) => new Error(`${path}:${line}: ${why}`)
  const said = INFO.exec(info)?.groups
  if (said === undefined) throw wrong(`“${info}” behind the language is not known`)
  if (said.reason !== undefined) return { kind: 'not-run', line, language, reason: said.reason }
  if (language === 'text') throw wrong('a text is what commands before it print; this one has none before it')
  if (language === 'sh') {
    if (said.given === undefined)
      return { kind: 'commands', line, text, exits: Number(said.exits ?? 0), until: said.until }
    const lines = text.trim().split('\n')
    const variables = lines.map(one => VARIABLE.exec(one)?.groups?.name)
    const odd = variables.indexOf(undefined)
    if (odd >= 0) throw wrong(`“${lines[odd]}” gives no variable`)
    return { kind: 'given', line, variables: variables as string[] }
  }
  const [first = '', ...rest] = text.split('\n')
  const named = NAME_IN_COMMENT.exec(first)?.groups
  const name = said.file ?? named?.name
  if (name === undefined)
    throw wrong('a block is a file with its name in the first line, or has a reason: not-run=…')
  const goesOn = named?.more !== undefined
  return { kind: 'file', line, name, text: goesOn ? rest.join('\n') : text, goesOn }
}

function blocksOf(path: string, page: string): Block[] {
  const blocks: Block[] = []
  let open: (Block & { fence: string }) | undefined
  for (const [index, text] of page.split('\n').entries()) {
    const fence = /^(?<indent> *)(?<fence>`{3,}|~{3,})(?<language>[\w-]*) ?(?<info>.*)$/.exec(text)?.groups
    if (open !== undefined) {
      if (text === open.fence) {
        blocks.push(open)
        open = undefined
      } else open.text += `${text}\n`
    } else if (fence !== undefined) {
      const line = index + 1
      if (fence.indent !== '' || fence.fence !== '```')
        throw new Error(`${path}:${line}: a block begins with three backticks at the margin`)
      open = { language: fence.language!, info: fence.info!.trim(), line, text: '', fence: '```' }
    }
  }
  if (open !== undefined) throw new Error(`${path}:${open.line}: the block has no end`)
  return blocks
}

import { timed } from '../section.ts'
import type { Entrant } from '../turns.ts'

/** A contender of the folder beside this, with its options. */
export function entrant(name: string, module: string, options: object): Entrant {
  return timed(name, new URL(`./contenders/${module}.ts`, import.meta.url), options)
}

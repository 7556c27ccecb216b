import type { RecordedFiles } from '../../../src/records/index.ts'
import type { Statement } from '../../../src/sql/engine.ts'
import type { World, WorldOptions } from '../support/world.ts'

/** Something that a process does, and how the world looks if it was done. */
export interface CrashScenario {
  readonly name: string
  readonly world?: WorldOptions
  /** Done before by another process, without any failure. */
  arrange?(files: RecordedFiles, world: World): Promise<void>
  /** What other processes have left behind them, done before it with calls that fail as they must. */
  ruin?(world: World): Promise<void>
  /** The call that is watched. It rejects where it did not do all. */
  act(files: RecordedFiles, world: World): Promise<unknown>
  /** The live files after it, their texts by key. */
  readonly after: Readonly<Record<string, string>>
  /** Where it is several calls: the live files between them. */
  readonly between?: readonly Readonly<Record<string, string>>[]
  /** Keys of which the application has a row exactly as long as they are live. */
  readonly rows?: readonly string[]
  /** Objects that are there before they are adopted. */
  readonly foreign?: readonly string[]
  /** Objects that are gone when it has succeeded. */
  readonly gone?: readonly string[]
  /** Calls that it makes at least: a recording that has become empty must not pass. */
  readonly calls: number
}

/** The application's own row of a file, and its end. */
export const withRow = (key: string): { also: Statement[] } => ({
  also: [['INSERT INTO app (key) VALUES (?) ON CONFLICT (key) DO NOTHING', key]],
})
export const withoutRow = (...keys: readonly string[]): { also: Statement[] } => ({
  also: keys.map((key): Statement => ['DELETE FROM app WHERE key = ?', key]),
})
export const movedRow = (from: string, to: string): { also: Statement[] } => ({
  also: [...withoutRow(from).also, ...withRow(to).also],
})

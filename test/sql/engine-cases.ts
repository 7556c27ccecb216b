/**
 * What every engine answers alike, to the last bit. An engine's test calls `engineCases` once per server or library
 * and then tests only what it adds.
 */
import { afterAll, beforeAll, describe, test } from 'vitest'
import { BATCH_CASES } from './batch-cases.ts'
import type { EngineCase, EngineUnderTest } from './engine-case.ts'
import { GROUP_CASES } from './group-cases.ts'
import { OPERATION_CASES } from './operation-cases.ts'
import { REFUSAL_CASES } from './refusal-cases.ts'
import { VALUE_CASES } from './value-cases.ts'

export const ENGINE_CASES: readonly EngineCase[] = [
  ...VALUE_CASES,
  ...BATCH_CASES,
  ...REFUSAL_CASES,
  ...OPERATION_CASES,
  ...GROUP_CASES,
]

/** Titles of cases that this engine answers otherwise, each with the reason. One that would pass fails. */
export type Differences = Readonly<Record<string, string>>

/**
 * Declares the cases over one database, which `make` gives once.
 *
 * @example
 * engineCases('postgres with pg', async () => ({ engine, fresh: async () => postgres({ … }), close: async () => { … } }))
 */
export function engineCases(
  name: string,
  make: () => Promise<EngineUnderTest>,
  differences: Differences = {},
): void {
  describe(name, () => {
    let under: EngineUnderTest
    let tables = 0
    beforeAll(async () => {
      under = await make()
    })
    afterAll(() => under?.close())

    for (const { title, run } of ENGINE_CASES) {
      const body = () => run({ ...under, table: () => `engine_case_${++tables}` })
      const reason = differences[title]
      if (reason === undefined) test(title, body)
      else test.fails(`${title} [differs: ${reason}]`, body)
    }

    test('declares no difference for a case that does not exist', context => {
      const unknown = Object.keys(differences).filter(
        title => !ENGINE_CASES.some(known => known.title === title),
      )
      context.expect(unknown).toEqual([])
    })
  })
}

import { afterAll, beforeAll, it } from 'vitest'
import { type ConformanceContext, conformance } from '../../src/conformance/index.ts'
import type { StoreContext } from './contexts/context-of.ts'

/** Declares the whole kit over one store. */
export function conformStore(
  { context, before, after }: StoreContext,
  skip: ConformanceContext['skip'] = {},
): void {
  if (before !== undefined) beforeAll(before)
  if (after !== undefined) afterAll(after)
  const time = context.caseTimeoutMs === undefined ? undefined : context.caseTimeoutMs + 10_000
  for (const test of conformance({ ...context, skip: { ...context.skip, ...skip } }))
    it(test.title, test.run, time)
}

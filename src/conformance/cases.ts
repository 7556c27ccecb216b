import type { ConformanceCase } from './conformance-case.ts'
import { DELETE_CASES } from './delete.ts'
import { READ_CASES } from './read.ts'

/** Every case, in the order in which a provider is best looked at. */
export const CASES: readonly ConformanceCase[] = [...READ_CASES, ...DELETE_CASES]

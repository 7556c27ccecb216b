import { StorageError } from '../core/errors.ts'
import { CannotRun, ConformanceError } from './assertions.ts'
import { CAPABILITY_NEEDS, type CapabilityNeed, refusesMissing } from './capability-needs.ts'
import { CASES } from './cases.ts'
import type { ConformanceCase } from './conformance-case.ts'
import { assertContext, type ConformanceContext, HOST_NEEDS, type HostNeed } from './conformance-context.ts'
import { runNamed } from './run-named.ts'
import { Scope } from './scope.ts'

/** What a test runner hands to its tests; vitest's and node:test's both have `skip`. */
export interface Runner {
  skip?(reason?: string): unknown
}

/** `refused`: the provider declares a capability missing, and refuses what needs it as it should. */
export type ConformanceOutcome =
  | { readonly status: 'passed' }
  | { readonly status: 'refused'; readonly missing: string }
  | { readonly status: 'skipped'; readonly reason: string }

export interface ConformanceTest {
  readonly id: string
  /** Id and behaviour; ends with the reason where the test will be skipped. */
  readonly title: string
  readonly covers: readonly number[]
  /** Why the test will be skipped, where that is known before it runs. */
  readonly skipped: string | undefined
  /** Rejects where the behaviour is not kept. Skips are told to `runner`, and stand in the outcome. */
  run(runner?: Runner): Promise<ConformanceOutcome>
}

const CASE_TIMEOUT_MS = 30_000

/**
 * Every behaviour that a `StorageProvider` owes, as tests for any runner.
 *
 * @throws `invalid-argument` for an unknown field, one of the wrong kind, and where `skip` names no case
 *
 * @example
 * ```ts
 * for (const test of conformance({ name: 'tape', create: () => tape({ … }) })) it(test.title, test.run)
 * ```
 */
export function conformance(context: ConformanceContext): ConformanceTest[] {
  assertContext(context)
  const ids = new Set(CASES.map(item => item.id))
  for (const id of Object.keys(context.skip ?? {}))
    if (!ids.has(id))
      throw new StorageError('invalid-argument', `conformance: skip names '${id}', which is no case`)
  return CASES.map(item => test(item, context))
}

function test(item: ConformanceCase, context: ConformanceContext): ConformanceTest {
  const declared = context.skip?.[item.id]
  const absent = item.needs?.find(need => isHostNeed(need) && context[need] === undefined)
  const skipped = declared ?? (absent && `the context gives no ${absent}`)
  const title = `${item.id}: ${item.title}${skipped === undefined ? '' : ` [skipped: ${skipped}]`}`
  return {
    id: item.id,
    title,
    covers: item.covers,
    skipped,
    async run(runner) {
      const outcome =
        declared === undefined ? await runCase(item, context) : await runDeclaredSkip(item, context, declared)
      if (outcome.status === 'skipped') runner?.skip?.(outcome.reason)
      return outcome
    },
  }
}

async function runCase(item: ConformanceCase, context: ConformanceContext): Promise<ConformanceOutcome> {
  try {
    const timeoutMs = context.caseTimeoutMs ?? CASE_TIMEOUT_MS
    return await runNamed(context.name, item.id, timeoutMs, () => runInScope(item, context))
  } catch (error) {
    if (error instanceof CannotRun) return { status: 'skipped', reason: error.message }
    throw error
  }
}

async function runInScope(item: ConformanceCase, context: ConformanceContext): Promise<ConformanceOutcome> {
  const scope = await Scope.open(context)
  try {
    const { capabilities } = scope
    const missing = item.needs?.find(
      need => !isHostNeed(need) && !CAPABILITY_NEEDS[need].has(capabilities),
    ) as CapabilityNeed | undefined
    if (missing !== undefined) {
      await refusesMissing(missing, scope)
      return { status: 'refused', missing }
    }
    for (const need of item.needs ?? []) if (isHostNeed(need)) scope.given(need)
    await item.run(scope)
    return { status: 'passed' }
  } finally {
    await scope.close()
  }
}

/** A skip must still be true: the case runs, and has to fail. */
async function runDeclaredSkip(
  item: ConformanceCase,
  context: ConformanceContext,
  reason: string,
): Promise<ConformanceOutcome> {
  const outcome = await runCase(item, context).catch(() => undefined)
  if (outcome !== undefined && outcome.status !== 'skipped')
    throw new ConformanceError(
      `${context.name} passes ${item.id}, which is skipped as '${reason}': remove the skip`,
    )
  return { status: 'skipped', reason }
}

function isHostNeed(need: string): need is HostNeed {
  return (HOST_NEEDS as readonly string[]).includes(need)
}

/**
 * Runs a scenario once to count the calls that it makes to provider, engine and invalidator, then again for every one
 * of them and every way in which it can fail. Points come from counting: a step that is added is tested by itself.
 */
import { type Inventory, takeInventory } from '../support/inventory.ts'
import type { Gate, Step } from '../support/simulation.ts'
import { World } from '../support/world.ts'
import type { CrashScenario } from './crash-scenario.ts'
import { recoverAll } from './recover-all.ts'

interface Variant {
  readonly step: Step
  /** Whether the process, which lives on, makes its call again. */
  readonly retries?: boolean
  /** Whether a late effect arrives after the first recovery, not before. */
  readonly afterRecovery?: boolean
  readonly only?: (gate: Gate) => boolean
}

const writes = (gate: Gate) => gate.writes
const hasId = (gate: Gate) => gate.hasId

const VARIANTS: readonly Variant[] = [
  { step: 'crash-before' },
  { step: 'crash-after' },
  { step: 'crash-twice', only: writes },
  { step: 'crash-late', only: writes },
  { step: 'crash-late', afterRecovery: true, only: writes },
  { step: 'fail' },
  { step: 'fail', retries: true },
  { step: 'lose' },
  { step: 'lose', retries: true, only: writes },
  { step: 'resolve', only: hasId },
  { step: 'twice' },
  { step: 'twice-last', only: writes },
  { step: 'late', only: writes },
  { step: 'late', afterRecovery: true, only: writes },
  { step: 'late', retries: true, afterRecovery: true, only: writes },
]

const ACTOR = 'actor'

export interface CrashReport {
  readonly calls: number
  readonly points: number
  /** What went wrong at which point, in words. */
  readonly failures: readonly string[]
}

export async function runCrashPoints(scenario: CrashScenario): Promise<CrashReport> {
  const failures: string[] = []
  const recorded = await record(scenario)
  let points = 0
  for (const gate of recorded.gates)
    for (const variant of VARIANTS) {
      if (variant.only !== undefined && !variant.only(gate)) continue
      points++
      const problems = await runPoint(scenario, recorded.before, gate, variant).catch(error => [
        `it threw ${(error as Error).stack}`,
      ])
      if (problems.length > 0) failures.push([nameOf(gate, variant), ...problems].join('\n    '))
    }
  const problems = await runUnharmed(scenario, recorded.before)
  if (problems.length > 0) failures.push(['without any failure', ...problems].join('\n    '))
  return { calls: recorded.gates.length, points, failures }
}

/** The calls of an undisturbed run, in order, and the files before it. */
async function record(scenario: CrashScenario): Promise<{ gates: Gate[]; before: Inventory }> {
  const world = await arranged(scenario)
  const before = await inventory(scenario, world)
  const gates: Gate[] = []
  await world.simulation.run(scenario.act(world.client(ACTOR), world), gate => {
    if (gate.client === ACTOR) gates.push(gate)
    return 'pass'
  })
  await world.engine.close()
  return { gates, before }
}

async function runUnharmed(scenario: CrashScenario, before: Inventory): Promise<string[]> {
  const world = await arranged(scenario)
  await world.simulation.run(scenario.act(world.client(ACTOR), world))
  return ended(scenario, world, before, { status: 'done' }, false)
}

async function runPoint(
  scenario: CrashScenario,
  before: Inventory,
  at: Gate,
  variant: Variant,
): Promise<string[]> {
  const world = await arranged(scenario)
  const { simulation } = world
  const files = world.client(ACTOR)
  let met = false
  const stepOf = (gate: Gate): Step => {
    if (gate.client !== ACTOR || gate.index !== at.index) return 'pass'
    met = true
    return variant.step
  }
  let outcome: Outcome | undefined
  const act = (): Promise<void> =>
    scenario.act(files, world).then(
      () => {
        outcome = { status: 'done' }
      },
      error => {
        outcome = { status: 'failed', error }
      },
    )
  void act()
  await simulation.until(() => outcome !== undefined || simulation.isDead(ACTOR), stepOf)
  const first = outcome ?? { status: 'crashed' }
  if (!met) return ['the call was not made again']
  if (variant.retries && first.status === 'failed') {
    outcome = undefined
    void act()
    await simulation.until(() => outcome !== undefined)
  }
  // Of several calls in a row one may have happened, or be on its way still, when another fails or succeeds.
  const isOneOfMany = scenario.between !== undefined && first.status === 'failed'
  const said: Outcome = isOneOfMany ? { status: 'unknown' } : merged(first, outcome)
  return ended(scenario, world, before, said, variant.afterRecovery === true)
}

export type Outcome =
  | { readonly status: 'done' | 'crashed' }
  | { readonly status: 'failed'; readonly error: unknown }
  | { readonly status: 'unknown' }

/** What two calls of the same, one after the other, say together. */
function merged(first: Outcome, second: Outcome | undefined): Outcome {
  if (second === undefined || second === first) return first
  return second.status === 'done' || !isUnknown(first) ? second : { status: 'unknown' }
}

/** Whether a caller can't know what happened. Every other error says that nothing did. */
export function isUnknown(outcome: Outcome): boolean {
  return (
    outcome.status === 'unknown' ||
    outcome.status === 'crashed' ||
    (outcome.status === 'failed' && (outcome.error as { code?: string }).code === 'pending')
  )
}

/** Recovers by another process until nothing is owed, and says what is not as it must be, then or on the way. */
async function ended(
  scenario: CrashScenario,
  world: World,
  before: Inventory,
  outcome: Outcome,
  afterRecovery: boolean,
): Promise<string[]> {
  const problems: string[] = []
  await recoverAll(world, problems, {
    afterRecovery,
    look: async () => {
      const now = await inventory(scenario, world)
      problems.push(...now.problems, ...wrongFiles(scenario, before, now, outcome))
      problems.push(...(await wrongRows(scenario, world, now)))
    },
  })
  for (const key of outcome.status === 'done' ? (scenario.gone ?? []) : [])
    if (await world.provider.exists(key)) problems.push(`the call succeeded, and ${key} is still there`)
  if (scenario.world?.cdn) problems.push(...(await untold(scenario, world, before)))
  await world.engine.close()
  return [...new Set(problems)]
}

function wrongFiles(scenario: CrashScenario, before: Inventory, now: Inventory, outcome: Outcome): string[] {
  const text = (files: Iterable<readonly [string, string]>) => JSON.stringify([...files].sort())
  const [old, wanted] = [text(before.files), text(Object.entries(scenario.after))]
  const between = (scenario.between ?? []).map(files => text(Object.entries(files)))
  const seen = text(now.files)
  if (isUnknown(outcome)) {
    const allowed = [old, ...between, wanted]
    return allowed.includes(seen) ? [] : [`half done: the files are ${seen}, none of ${allowed.join(' or ')}`]
  }
  const due = outcome.status === 'done' ? wanted : old
  if (seen === due) return []
  const said = outcome.status === 'failed' ? `failed with ${String(outcome.error)}` : 'succeeded'
  return [`the call ${said}, and the files are ${seen}, not ${due}`]
}

/** Of bytes that readers had URLs of, and that are gone, the CDN is told twice at least; of others never. */
async function untold(scenario: CrashScenario, world: World, before: Inventory): Promise<string[]> {
  const now = new Set((await inventory(scenario, world)).physical.values())
  const times = (physical: string) => world.told.filter(key => key === physical).length
  return [...before.physical].flatMap(([key, physical]) => {
    if (now.has(physical)) return times(physical) === 0 ? [] : [`the CDN was told of ${key}, which is live`]
    return times(physical) >= 2 ? [] : [`the CDN was told ${times(physical)} times of ${key}, which is gone`]
  })
}

async function wrongRows({ rows = [] }: CrashScenario, world: World, now: Inventory): Promise<string[]> {
  const found = await world.engine.query(['SELECT key FROM app'])
  const there = new Set(found.map(row => row.key))
  return rows
    .filter(key => there.has(key) !== now.files.has(key))
    .map(key => `${key} has ${there.has(key) ? 'a row and no file' : 'a file and no row'}`)
}

async function arranged(scenario: CrashScenario): Promise<World> {
  const world = new World(scenario.world)
  await world.engine.batch([['CREATE TABLE app (key TEXT PRIMARY KEY)']])
  const files = world.client('arranger')
  if (scenario.arrange !== undefined) await world.simulation.run(scenario.arrange(files, world))
  await scenario.ruin?.(world)
  return world
}

function inventory({ foreign = [] }: CrashScenario, world: World): Promise<Inventory> {
  return takeInventory(world.provider, world.engine, { foreign })
}

function nameOf({ index, call, about }: Gate, { step, retries, afterRecovery }: Variant): string {
  return `${step}${retries ? ', again' : ''}${afterRecovery ? ', after recovery' : ''} at call ${index}: ${call} ${about}`
}

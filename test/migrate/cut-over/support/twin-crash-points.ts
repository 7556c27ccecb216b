/**
 * Runs something once to count its calls to both stores and to the database, then again for every one of them and every way in which
 * it can fail. Afterwards another process pays what is owed, and then both sides, the rows and the records must agree.
 */
import type { CutOverPhase } from '../../../../src/migrate/cut-over/phase.ts'
import { type Inventory, takeInventory } from '../../../records/support/inventory.ts'
import type { Gate, Step } from '../../../records/support/simulation.ts'
import { disagreements, payAll } from './agreement.ts'
import { type TwinClient, TwinWorld } from './twin-world.ts'

export interface TwinScenario {
  readonly name: string
  readonly phase: CutOverPhase
  /** Done before, in the phase `begins`, without any failure. */
  arrange?(client: TwinClient, world: TwinWorld): Promise<unknown>
  readonly begins?: CutOverPhase
  act(client: TwinClient, world: TwinWorld): Promise<unknown>
  /** Objects of the source that have no record yet, their texts by key: records adopt what they meet. */
  readonly planted?: Readonly<Record<string, string>>
  /** The live files after it, their texts by key. */
  readonly after: Readonly<Record<string, string>>
  /** Sides that must have all of them in the end. Default: both. */
  readonly sides?: readonly ('from' | 'to')[]
  readonly calls: number
}

const VARIANTS: readonly { readonly step: Step; readonly only?: (gate: Gate) => boolean }[] = [
  { step: 'crash-before' },
  { step: 'crash-after' },
  { step: 'crash-late', only: gate => gate.writes },
  { step: 'fail' },
  { step: 'lose' },
  { step: 'late', only: gate => gate.writes },
  { step: 'twice', only: gate => gate.writes },
  { step: 'resolve', only: gate => gate.hasId },
]
const ACTOR = 'actor'

export async function runTwinCrashPoints(
  scenario: TwinScenario,
): Promise<{ calls: number; points: number; failures: string[] }> {
  const failures: string[] = []
  const { gates, before } = await record(scenario)
  let points = 0
  for (const gate of gates)
    for (const { step, only } of VARIANTS) {
      if (only !== undefined && !only(gate)) continue
      points++
      const problems = await runPoint(scenario, before, gate, step).catch(error => [
        `it threw ${error.stack}`,
      ])
      if (problems.length > 0)
        failures.push(
          [`${step} at call ${gate.index}: ${gate.call} ${gate.about}`, ...problems].join('\n    '),
        )
    }
  return { calls: gates.length, points, failures }
}

async function record(scenario: TwinScenario): Promise<{ gates: Gate[]; before: string }> {
  const world = await arranged(scenario)
  const before = filesOf(await takeInventory(world.from, world.engine))
  const gates: Gate[] = []
  await world.simulation.run(scenario.act(world.client(ACTOR), world), gate => {
    if (gate.client === ACTOR) gates.push(gate)
    return 'pass'
  })
  await world.engine.close()
  return { gates, before }
}

async function runPoint(scenario: TwinScenario, before: string, at: Gate, step: Step): Promise<string[]> {
  const world = await arranged(scenario)
  const { simulation } = world
  let outcome: 'done' | { code?: string } | undefined
  scenario.act(world.client(ACTOR), world).then(
    () => (outcome = 'done'),
    error => (outcome = error),
  )
  await simulation.until(
    () => outcome !== undefined || simulation.isDead(ACTOR),
    gate => (gate.client === ACTOR && gate.index === at.index ? step : 'pass'),
  )
  const problems: string[] = []
  await payAll(world, problems)
  // What was met is at the source alone until then.
  if (scenario.planted !== undefined) await world.fill()
  const { inventory, problems: found } = await disagreements(world, scenario.sides)
  problems.push(...found)
  const seen = filesOf(inventory)
  const wanted = textOf(Object.entries(scenario.after))
  const isUnknown = outcome === undefined || (outcome !== 'done' && outcome.code === 'pending')
  // Met, and nothing else.
  const met = textOf(Object.entries(world.planted))
  const unchanged = [before, met]
  const allowed = isUnknown ? [...unchanged, wanted] : outcome === 'done' ? [wanted] : unchanged
  if (!allowed.includes(seen))
    problems.push(
      `it ${outcome === 'done' ? 'succeeded' : `ended with ${String(outcome)}`}, and the files are ${seen}`,
    )
  if (outcome === 'done') problems.push(...(await risen(world, scenario.after)))
  await world.engine.close()
  return problems
}

/** Planted objects that were deleted, and that somebody who asks for them would make files of. */
async function risen(world: TwinWorld, after: Readonly<Record<string, string>>): Promise<string[]> {
  const dead = Object.keys(world.planted).filter(key => after[key] === undefined)
  const found = await world.simulation.run(world.client('witness').files.infoMany(dead))
  return found.flatMap(({ key, ok }) => (ok ? [`${key} was deleted, and is a file again`] : []))
}

async function arranged(scenario: TwinScenario): Promise<TwinWorld> {
  const world = new TwinWorld('', scenario.planted)
  await world.plant()
  await world.begin(scenario.begins ?? scenario.phase)
  if (scenario.arrange !== undefined)
    await world.simulation.run(scenario.arrange(world.client('arranger'), world))
  await world.begin(scenario.phase)
  return world
}

function filesOf({ files }: Inventory): string {
  return textOf(files)
}

function textOf(files: Iterable<readonly [string, string]>): string {
  return JSON.stringify([...files].sort())
}

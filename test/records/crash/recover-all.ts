import { takeInventory } from '../support/inventory.ts'
import type { World } from '../support/world.ts'

/** More rounds than any scenario needs. */
const MOST_ROUNDS = 60

export interface RecoverAllOptions {
  /** Whether late effects arrive after the first recovery. */
  afterRecovery?: boolean
  /** Called after each round. */
  look?: () => Promise<void>
}

/** A new process recovers, and time passes from one due job to the next, until nothing is owed. */
export async function recoverAll(
  world: World,
  problems: string[],
  options: RecoverAllOptions = {},
): Promise<void> {
  const { simulation } = world
  const files = world.client('recovery')
  const landAll = async () => {
    while (simulation.late.length > 0) await simulation.land(simulation.late[0]!)
  }
  if (!options.afterRecovery) await landAll()
  for (let round = 1; ; round++) {
    await simulation.run(files.recover({ waitForLeases: true }))
    await options.look?.()
    await landAll()
    const { journal } = await takeInventory(world.provider, world.engine)
    if (journal.length === 0) break
    if (round === MOST_ROUNDS) {
      problems.push(
        ...journal.map(job => `does not end: ${job.kind} ${job.state} of ${job.physical}, ${job.error}`),
      )
      return
    }
    const next = Math.min(...journal.map(job => Number(job.due_at)))
    simulation.clock.advance(Math.max(1, next - simulation.clock.now()))
  }
  await options.look?.()
}

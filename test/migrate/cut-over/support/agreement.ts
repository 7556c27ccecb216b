import { type Inventory, takeInventory } from '../../../records/support/inventory.ts'
import type { TwinWorld } from './twin-world.ts'

/**
 * A small audit of both sides and the rows, which shares no code with what it looks at: what is not as it must be when nothing is owed
 * any more, and no request is on its way.
 */
export async function disagreements(
  world: TwinWorld,
  sides: readonly ('from' | 'to')[] = ['from', 'to'],
): Promise<{ inventory: Inventory; problems: string[] }> {
  const problems: string[] = []
  const inventories: Inventory[] = []
  for (const side of sides) {
    const inventory = await takeInventory(world[side], world.engine, {
      foreign: Object.keys(world.planted).map(key => `default/${key}`),
    })
    inventories.push(inventory)
    problems.push(...inventory.problems.map(problem => `${side}: ${problem}`))
  }
  const rows = await world.engine.query(['SELECT * FROM stowage_cut_over_objects'])
  const live = new Set(inventories[0]!.physical.values())
  for (const row of rows) {
    const key = String(row.key)
    const states = `${row.from_state}/${row.to_state}`
    if (/\.stowage\//.test(key)) continue
    if (row.gone === 0n && !live.has(key))
      problems.push(`the row of ${key} is live (${states}), and no file is`)
    if (row.gone === 1n && live.has(key)) problems.push(`the row of the live file ${key} is a tombstone`)
    if (sides.length === 2 && states.includes('owed'))
      problems.push(`${key} is owed: ${states}, ${row.error}`)
  }
  return { inventory: inventories[0]!, problems: [...new Set(problems)] }
}

/** All that is owed, by records and by the cut-over, is paid, and time passes until nothing is due. */
export async function payAll(world: TwinWorld, problems: string[] = []): Promise<void> {
  const { simulation } = world
  const { files, store } = world.client('payer')
  const landAll = async () => {
    while (simulation.late.length > 0) await simulation.land(simulation.late[0]!)
  }
  for (let round = 1; ; round++) {
    await simulation.run(files.recover({ waitForLeases: true }))
    await simulation.run(store.settle())
    await landAll()
    const times = await dueTimes(world)
    if (times.length === 0) return
    if (round === 80) {
      problems.push(`it never ends: ${times.length} jobs and rows are due`)
      return
    }
    simulation.clock.advance(Math.max(1, Math.min(...times) - simulation.clock.now()))
  }
}

async function dueTimes({ engine }: TwinWorld): Promise<number[]> {
  const jobs = await engine.query(['SELECT due_at FROM t_default__journal']).catch(() => [])
  const rows = await engine.query(['SELECT due_at FROM stowage_cut_over_objects WHERE due_at IS NOT NULL'])
  return [...jobs, ...rows].map(row => Number(row.due_at))
}

import { describe, expect, it } from 'vitest'
import type { RecordedFiles } from '../../src/records/index.ts'
import { hasCode } from '../support/has-code.ts'
import { withoutRow, withRow } from './crash/crash-scenario.ts'
import { recoverAll } from './crash/recover-all.ts'
import { endProblems, takeInventory } from './support/inventory.ts'
import { type Gate, type Step, turn } from './support/simulation.ts'
import { World, type WorldOptions } from './support/world.ts'

const text = { contentType: 'text/plain' }
const DAY = 86_400_000

/** A world with one file `a.txt`, which has a row. */
async function worldWithFile(options: WorldOptions = {}): Promise<{ world: World; files: RecordedFiles }> {
  const world = new World(options)
  await world.engine.batch([['CREATE TABLE app (key TEXT PRIMARY KEY)']])
  const files = world.client('first')
  await world.simulation.run(files.upload('a.txt', 'one', { ...text, ...withRow('a.txt') }))
  return { world, files }
}

/** The n-th call of this name, counted from 1, goes another way than the rest. */
function at(call: string, steps: Readonly<Record<number, Step>>, about = ''): (gate: Gate) => Step {
  let seen = 0
  return gate => {
    if (gate.call !== call || !gate.about.includes(about)) return 'pass'
    seen++
    return steps[seen] ?? 'pass'
  }
}

async function journal(world: World) {
  return world.engine.query(['SELECT * FROM t_default__journal ORDER BY id'])
}

describe('what is told when the store refuses a delete', () => {
  it('keeps the file hidden where the caller’s rows are gone: they can’t come back', async () => {
    const { world, files } = await worldWithFile({ records: { patienceMs: 0 } })
    const deleting = files.delete('a.txt', withoutRow('a.txt'))
    await expect(
      world.simulation.run(deleting, at('provider.deleteMany', { 1: 'refuse' })),
    ).rejects.toSatisfy(hasCode('pending'))
    const problems: string[] = []
    await recoverAll(world, problems)
    expect(problems).toEqual([])
    const { files: live } = await takeInventory(world.provider, world.engine)
    expect([...live.keys()]).toEqual([])
  })

  it('never brings a file back from recovery: the caller may have been told pending', async () => {
    const { world, files } = await worldWithFile({ records: { patienceMs: 2_000 } })
    // Refused and put back, and then the database does not answer: the caller is told pending.
    const refused = at('provider.deleteMany', { 1: 'refuse' })
    const stepOf = (gate: Gate): Step => {
      if (gate.call === 'provider.info') return 'fail'
      return gate.about.includes(':claim') || gate.about.includes('SET answered') ? 'fail' : refused(gate)
    }
    await expect(world.simulation.run(files.delete('a.txt'), stepOf)).rejects.toSatisfy(hasCode('pending'))
    world.simulation.clock.advance(DAY)
    const other = world.client('other')
    await world.simulation.run(other.recover(), at('provider.deleteMany', { 1: 'refuse' }))
    await expect(world.simulation.run(other.info('a.txt'))).rejects.toSatisfy(hasCode('not-found'))
  })

  it('notes one refusal where putting a job back happens twice', async () => {
    const { world, files } = await worldWithFile({ records: { patienceMs: 0 } })
    const store = at('provider.deleteMany', { 1: 'refuse' })
    await world.simulation
      .run(files.delete('a.txt'), gate => {
        if (gate.call === 'provider.info') return 'fail'
        return gate.about.includes("SET owner = ''") ? 'twice' : store(gate)
      })
      .catch(() => {})
    expect(await journal(world)).toMatchObject([{ kind: 'delete', attempts: 1n, refusals: 1n }])
  })
})

describe('a delete that recovery ends before its own call does', () => {
  /** Another process does what is owed as soon as the file is hidden. */
  async function overtaken(step: Step) {
    const { world, files } = await worldWithFile()
    const { simulation } = world
    const deleting = files.deleteMany(['a.txt', 'missing.txt'])
    let hidden = false
    await simulation.until(
      () => hidden,
      gate => {
        if (!gate.about.includes(':hide')) return 'pass'
        hidden = true
        return step
      },
    )
    await turn()
    const [held] = simulation.waiting.splice(0)
    await simulation.run(world.client('other').recover({ waitForLeases: true }))
    simulation.waiting.push(held!)
    return simulation.run(deleting)
  }

  it('is told as deleted', async () => {
    expect(await overtaken('pass')).toMatchObject([
      { key: 'a.txt', status: 'deleted' },
      { key: 'missing.txt', status: 'missing' },
    ])
  })

  it('is told as gone where the answer that said what there was is lost', async () => {
    expect(await overtaken('resolve')).toEqual([
      { key: 'a.txt', status: 'gone' },
      { key: 'missing.txt', status: 'gone' },
    ])
  })
})

describe('a lost answer to the batch that ends a job', () => {
  it('leaves the tombstone its whole time: a late request may come until then', async () => {
    const { world, files } = await worldWithFile({ records: { lateMs: DAY } })
    const uploading = files.upload('b.txt', 'two', text)
    void uploading.catch(() => {})
    await world.simulation.until(
      () => world.simulation.isDead('first'),
      at('provider.upload', { 1: 'crash-late' }),
    )
    const other = world.client('other')
    await world.simulation.run(
      other.recover({ waitForLeases: true }),
      at('engine.batch', { 1: 'lose' }, "SET kind = 'tombstone'"),
    )
    const [tombstone] = await journal(world)
    expect(tombstone).toMatchObject({ kind: 'tombstone' })
    expect(Number(tombstone!.due_at) - world.simulation.clock.now()).toBeGreaterThan(DAY / 2)
  })

  it('leaves the CDN its settling time before it is told again', async () => {
    const { world, files } = await worldWithFile({ cdn: true })
    await world.simulation.run(files.signedUrl('a.txt', { expiresIn: 60 }))
    await world.simulation.run(files.delete('a.txt'))
    await world.simulation.run(
      files.recover(),
      at('engine.batch', { 1: 'lose' }, "SET owner = '', attempts = 0"),
    )
    const [job] = await journal(world)
    expect(job).toMatchObject({ kind: 'cdn', data: '{"told":1}' })
    expect(Number(job!.due_at) - world.simulation.clock.now()).toBeGreaterThan(30_000)
  })
})

describe('what is deleted stays deleted', () => {
  it('does not adopt bytes again that a replace has left behind', async () => {
    const world = new World()
    await world.provider.upload('default/a.txt', 'old', text)
    const files = world.client('first')
    await world.simulation.run(files.adopt())
    await world.simulation.run(files.upload('a.txt', 'new', text))
    await world.simulation.run(files.delete('a.txt'))
    expect(await world.simulation.run(files.adopt())).toMatchObject({ adopted: 0 })
    await expect(world.simulation.run(files.info('a.txt'))).rejects.toSatisfy(hasCode('not-found'))
  })

  it('keeps what can be restored, though an earlier delete of it was refused', async () => {
    const { world, files } = await worldWithFile({ records: { restoreMs: DAY } })
    const refused = files.delete('a.txt')
    await expect(world.simulation.run(refused, at('provider.deleteMany', { 1: 'refuse' }))).rejects.toSatisfy(
      hasCode('permission-denied'),
    )
    await world.simulation.run(files.delete('a.txt'))
    await world.simulation.run(files.recover())
    await world.simulation.run(files.restore('a.txt'))
    const { files: live, problems } = await takeInventory(world.provider, world.engine)
    expect([...live]).toEqual([['a.txt', 'one']])
    expect(problems).toEqual([])
  })

  it('sweeps the place in the trash again, for a copy that arrives when the file has been restored', async () => {
    const { world, files } = await worldWithFile({ records: { restoreMs: DAY, patienceMs: 0 } })
    const { simulation } = world
    await simulation.run(files.delete('a.txt'), at('provider.copy', { 1: 'late' })).catch(() => {})
    simulation.clock.advance(60_000)
    const other = world.client('other')
    await simulation.run(other.recover(), at('provider.deleteMany', { 1: 'fail' }))
    await simulation.run(other.restore('a.txt'))
    await simulation.run(other.recover())
    await simulation.land(simulation.late[0]!)
    const problems: string[] = []
    await recoverAll(world, problems)
    const inventory = await takeInventory(world.provider, world.engine)
    expect([...problems, ...endProblems(inventory)]).toEqual([])
    expect([...inventory.files]).toEqual([['a.txt', 'one']])
  })

  it('deletes no original whose copy could not be noted, since another process has the job by now', async () => {
    const { world, files } = await worldWithFile({ records: { restoreMs: DAY } })
    const { simulation } = world
    const deleting = files.delete('a.txt')
    deleting.catch(() => {})
    await simulation.until(() => simulation.waiting.some(gate => gate.about.includes(':copied')))
    const [held] = simulation.waiting.splice(0)
    void world.client('other').recover({ waitForLeases: true })
    await simulation.until(() => simulation.isDead('other'), at('provider.copy', { 1: 'crash-before' }))
    simulation.waiting.push(held!)
    await expect(simulation.run(deleting)).rejects.toSatisfy(hasCode('pending'))
    const third = world.client('third')
    await simulation.run(third.recover({ waitForLeases: true }))
    await simulation.run(third.restore('a.txt'))
    const inventory = await takeInventory(world.provider, world.engine)
    expect([...inventory.files]).toEqual([['a.txt', 'one']])
    expect(inventory.problems).toEqual([])
  })
})

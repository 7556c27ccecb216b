/**
 * Two processes in neighbouring phases and one that settles and backfills work on a few keys at once; a seed decides whose call goes next
 * and which of them fail. After every effect each live file must be readable in either phase, and none that is deleted.
 */
import { type CutOverPhase, numberOf } from '../../../../src/migrate/cut-over/phase.ts'
import { randomOf } from '../../../records/support/random.ts'
import type { Step } from '../../../records/support/simulation.ts'
import { disagreements, payAll } from './agreement.ts'
import { type TwinClient, TwinWorld } from './twin-world.ts'

const KEYS = ['a.txt', 'b.txt', 'c.txt', 'd.txt']
/** Most leave the process alive, to go on beside what they have left. */
const FAULTS: readonly Step[] = [
  ...(['fail', 'fail', 'fail', 'lose', 'lose', 'late', 'late', 'twice'] as const),
  ...(['crash-before', 'crash-after'] as const),
]
const OPERATIONS = 6
const text = { contentType: 'text/plain' }

export interface TwinHistory {
  readonly seed: string
  readonly phase: CutOverPhase
  /** The phase of the other process: the same or the next. */
  readonly next: CutOverPhase
  /** What the third process does meanwhile, again and again. */
  readonly work: 'settle' | 'backfill' | 'verify'
  /** Objects of the source without a record at the beginning, which become files as they are met. */
  readonly planted?: Readonly<Record<string, string>>
  /** Of how many calls one fails; 0: none. */
  readonly faults: number
}

export async function runTwinHistory({
  seed,
  phase,
  next,
  work,
  planted,
  faults,
}: TwinHistory): Promise<string[]> {
  const random = randomOf(`twin ${phase} ${next} ${seed}`)
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!
  const world = new TwinWorld(seed, planted)
  await world.plant()
  const { simulation } = world
  const problems: string[] = []
  // What was there before, so that each side has files that the other one lacks.
  await world.begin('source-only')
  const arranger = world.client('arranger')
  await simulation.run(arranger.files.upload('a.txt', 'before', text))
  if (numberOf(phase) > numberOf('backfill')) await world.fill()
  await world.engine.batch([['DELETE FROM stowage_cut_over_processes']])
  await world.begin(phase)
  const clients: Record<string, TwinClient> = { early: world.client('early') }
  await simulation.run(clients.early!.store.clock())
  await world.begin(next)
  clients.later = world.client('later')
  clients.worker = world.client('worker')
  await simulation.run(clients.later.store.clock())

  const perform = async (client: TwinClient, text_: string): Promise<void> => {
    const key = pick(KEYS)
    await pick<() => Promise<unknown>>([
      () => client.files.upload(key, text_, text),
      () => client.files.upload(key, text_, text),
      () => client.files.delete(key),
      () => client.files.copy(key, pick(KEYS)),
      () => client.files.download(key).then(download => download.text()),
      () => client.files.download(key).then(download => download.text()),
    ])()
  }
  const workOnce = async (): Promise<unknown> => {
    // What failed is due again after a while, and a write that goes on for long is looked after.
    simulation.clock.advance(pick([0, 2_000, 95_000]))
    await clients.worker!.store.clock()
    return clients.worker!.store[work]()
  }
  const doWork = async (name: string): Promise<void> => {
    for (let number = 0; number < OPERATIONS; number++)
      await (name === 'worker' ? workOnce() : perform(clients[name]!, `${name} ${number}`)).catch(error => {
        if (!KNOWN.has(error.code)) problems.push(`${name}: ${error.code} ${error.message}`)
      })
  }
  let lateness = false
  simulation.afterEffect = async gate => {
    if (!gate.writes || problems.length > 0) return
    const found = [
      ...(await unreadable(world, phase)),
      ...(await unreadable(world, next)),
      ...(lateness ? [] : [...(await undead(world, phase)), ...(await undead(world, next))]),
    ]
    problems.push(...found.map(problem => `after ${gate.client} ${gate.call} ${gate.about}: ${problem}`))
  }
  const running = new Set(Object.keys(clients))
  for (const name of running) void doWork(name).then(() => running.delete(name))
  for (let idle = 0; [...running].some(name => !simulation.isDead(name)); ) {
    await new Promise(resolve => setImmediate(resolve))
    const gate = simulation.waiting[Math.floor(random() * simulation.waiting.length)]
    if (gate === undefined) {
      if (++idle > 3) simulation.clock.skip()
      if (idle > 1000) return ['nothing goes on']
      continue
    }
    idle = 0
    const fails = faults > 0 && random() * faults < 1
    const step = fails ? pick(FAULTS) : 'pass'
    lateness ||= step === 'late' || step === 'twice'
    await simulation.take(
      gate,
      step === 'crash-before' || step === 'crash-after' ? (gate.client === 'worker' ? 'fail' : step) : step,
    )
    if (simulation.late.length > 0 && random() < 0.1) await simulation.land(simulation.late[0]!)
  }
  simulation.afterEffect = () => {}
  for (const name of Object.keys(clients)) simulation.crash(name)
  if (numberOf(phase) <= numberOf('backfill')) await world.fill()
  await payAll(world, problems)
  const { problems: left } = await disagreements(world, next === 'retired' ? ['to'] : ['from', 'to'])
  problems.push(...left)
  await world.engine.close()
  return problems
}

const KNOWN = new Set(['pending', 'unavailable', 'timeout', 'conflict', 'not-found', 'permission-denied'])

/** Live files that a process in this phase could not read. */
async function unreadable(world: TwinWorld, phase: CutOverPhase): Promise<string[]> {
  const live = await world.engine.query(["SELECT physical FROM t_default__files WHERE state = 'live'"])
  const problems: string[] = []
  for (const { physical } of live) {
    const key = String(physical)
    if (!(await isReadable(world, phase, key))) problems.push(`${key} can't be read in ${phase}`)
  }
  return problems
}

/** Deleted objects that nothing will delete any more, and that a process in this phase could read. */
async function undead(world: TwinWorld, phase: CutOverPhase): Promise<string[]> {
  const gone = await world.engine.query([
    'SELECT key FROM stowage_cut_over_objects WHERE gone = 1 AND NOT EXISTS (SELECT 1 FROM t_default__journal WHERE physical = stowage_cut_over_objects.key AND kind IN (?, ?, ?))',
    'write',
    'delete',
    'replaced',
  ])
  const problems: string[] = []
  for (const { key } of gone)
    if (await isReadable(world, phase, String(key)))
      problems.push(`the deleted ${key} can be read in ${phase}`)
  return problems
}

async function isReadable(world: TwinWorld, phase: CutOverPhase, key: string): Promise<boolean> {
  const isLater = numberOf(phase) >= 5
  const [first, second] = isLater ? [world.to, world.from] : [world.from, world.to]
  if (await first.exists(key)) return true
  if (phase === 'source-only' || phase === 'retired' || !(await second.exists(key))) return false
  const [row] = await world.engine.query(['SELECT * FROM stowage_cut_over_objects WHERE key = ?', key])
  if (row === undefined) return isLater
  return row.gone === 0n && row[isLater ? 'from_state' : 'to_state'] !== 'none'
}

import { StorageError } from '../../../src/core/errors.ts'
import type { RecordedFiles } from '../../../src/records/index.ts'
import type { Gate, Step } from '../support/simulation.ts'
import type { World } from '../support/world.ts'
import { type CrashScenario, withoutRow, withRow } from './crash-scenario.ts'
import { sendSigned } from './send-signed.ts'

const text = { contentType: 'text/plain', metadata: { album: 'summer' } }
const MINUTE = 60_000
const ORPHAN = 'default/lost.01kdvdna00phyejd821rxa9aey.txt'
const DAY = 24 * 60 * MINUTE

/** Signed uploads, adoption, and recovery itself. */
export const JOB_SCENARIOS: readonly CrashScenario[] = [
  {
    name: 'signed upload and finalize, with a row',
    async act(files, world) {
      const { uploadId } = await files.signedUpload('a.txt', { expiresIn: 600 })
      await sendSigned(world, uploadId!, 'sent')
      return files.finalize(uploadId!, withRow('a.txt'))
    },
    after: { 'a.txt': 'sent' },
    rows: ['a.txt'],
    calls: 12,
  },
  {
    name: 'finalize over a file',
    world: { records: { replaceGraceMs: 0 }, cdn: true },
    async arrange(files, world) {
      await files.upload('a.txt', 'old', text)
      const { uploadId } = await files.signedUpload('a.txt', { expiresIn: 600 })
      await sendSigned(world, uploadId!, 'sent')
      world.notes.set('uploadId', uploadId!)
    },
    act: (files, world) => files.finalize(world.notes.get('uploadId')!, { checksum: 'sha256' }),
    after: { 'a.txt': 'sent' },
    calls: 12,
  },
  {
    name: 'adopt',
    async arrange(_, { provider }) {
      await provider.upload('default/old/one.txt', 'one', text)
      await provider.upload('default/old/two.txt', 'two', text)
    },
    act: files => files.adopt(),
    after: { 'old/one.txt': 'one', 'old/two.txt': 'two' },
    foreign: ['default/old/one.txt', 'default/old/two.txt'],
    calls: 10,
  },
  {
    name: 'replace of an adopted file',
    world: { records: { replaceGraceMs: 0 } },
    async arrange(files, { provider }) {
      await provider.upload('default/one.txt', 'one', text)
      await files.adopt()
    },
    act: files => files.upload('one.txt', 'new', text),
    after: { 'one.txt': 'new' },
    calls: 10,
  },
  {
    name: 'delete of an adopted file, and adopt again',
    async arrange(files, { provider }) {
      await provider.upload('default/one.txt', 'one', text)
      await files.adopt()
    },
    async act(files) {
      await files.delete('one.txt')
      await files.adopt()
    },
    after: {},
    between: [{}],
    calls: 8,
  },
  {
    name: 'recover',
    world: { records: { restoreMs: DAY }, cdn: true },
    arrange: arrangeFour,
    ruin,
    act: files => files.recover({ waitForLeases: true }),
    after: { 'b.txt': 'changed', 'd.txt': 'four' },
    rows: ['a.txt', 'b.txt', 'c.txt', 'd.txt'],
    calls: 40,
  },
  {
    name: 'recover without trash',
    world: { records: { replaceGraceMs: 0 } },
    arrange: arrangeFour,
    ruin,
    act: files => files.recover({ waitForLeases: true }),
    after: { 'b.txt': 'changed', 'd.txt': 'four' },
    rows: ['a.txt', 'b.txt', 'c.txt', 'd.txt'],
    calls: 25,
  },
  {
    name: 'collect',
    async arrange(files, world) {
      await files.upload('a.txt', 'one', text)
      await world.provider.upload(ORPHAN, 'nobody knows me', text)
      await files.collect()
      world.simulation.clock.advance(2 * DAY)
    },
    async act(files) {
      const report = await files.collect({ apply: true, maxShare: 1 })
      if (report.removed !== 1) throw new StorageError('pending', 'it goes on by itself')
    },
    after: { 'a.txt': 'one' },
    foreign: [ORPHAN],
    gone: [ORPHAN],
    calls: 20,
  },
  {
    name: 'settle',
    world: { records: { patienceMs: 0 } },
    arrange: arrangeFour,
    async ruin(world) {
      const files = world.client('ruined')
      await crash(world, 'ruined', files.delete('a.txt', withoutRow('a.txt')), 'provider.deleteMany', 'fail')
      const [job] = await world.engine.query([
        "SELECT operation FROM t_default__journal WHERE kind = 'delete'",
      ])
      world.notes.set('operation', String(job!.operation))
    },
    act: (files, world) => files.settle(world.notes.get('operation')!),
    after: { 'b.txt': 'two', 'c.txt': 'three', 'd.txt': 'four' },
    rows: ['a.txt', 'b.txt', 'c.txt', 'd.txt'],
    calls: 8,
  },
]

async function arrangeFour(files: RecordedFiles): Promise<void> {
  const contents = { 'a.txt': 'one', 'b.txt': 'two', 'c.txt': 'three', 'd.txt': 'four' }
  for (const [key, body] of Object.entries(contents)) {
    await files.upload(key, body, { ...text, ...withRow(key) })
    await files.signedUrl(key, { expiresIn: 60 })
  }
}

/** Leaves of everything something: an upload, a copy, two deletes, a replace, a signed upload that was never finalized. */
async function ruin(world: World): Promise<void> {
  const run = (name: string) => world.client(name)
  await crash(world, 'x', run('x').upload('x.txt', 'unpublished', text), 'provider.upload', 'crash-after')
  await crash(world, 'y', run('y').copy('d.txt', 'y.txt'), 'provider.copy', 'crash-after')
  await crash(
    world,
    'z',
    run('z').delete('a.txt', withoutRow('a.txt')),
    'provider.deleteMany',
    'crash-before',
  )
  await crash(world, 'w', run('w').delete('c.txt', withoutRow('c.txt')), 'provider.deleteMany', 'crash-after')
  const files = run('v')
  await world.simulation.run(files.upload('b.txt', 'changed', { ...text, ...withRow('b.txt') }))
  const { uploadId } = await world.simulation.run(files.signedUpload('s.txt', { expiresIn: 60 }))
  await sendSigned(world, uploadId!, 'never finalized')
  world.simulation.clock.advance(30 * MINUTE)
}

/** Runs until the first such call, which ends the process or fails. */
async function crash(world: World, name: string, doing: Promise<unknown>, call: string, step: Step) {
  let ended = false
  doing.catch(() => {}).finally(() => (ended = true))
  let met = false
  const stepOf = (gate: Gate): Step => {
    if (gate.client !== name || gate.call !== call || met) return 'pass'
    met = true
    return step
  }
  await world.simulation.until(() => ended || world.simulation.isDead(name), stepOf)
  if (!met) throw new Error(`${name} never came to ${call}`)
}

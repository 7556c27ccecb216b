import type { Statement } from '../../sql/engine.ts'
import type { Control, CutOverSet } from './cut-over-set.ts'
import { DIFFERENCES, OBJECTS } from './cut-over-tables.ts'
import { type CutOverPhase, rulesOf } from './phase.ts'
import { storedVerification } from './verification.ts'

/** @throws `conflict`, with what is to be done before the phase may change so */
export async function assertMayChange(set: CutOverSet, phase: number, next: number): Promise<void> {
  const [from, to] = [rulesOf(phase).phase, rulesOf(next).phase]
  const problem = await GUARDS[`${from} → ${to}`]?.(set, await set.control())
  if (problem === undefined) return
  throw set.conflict(next > phase ? 'advance' : 'back', `not from ${from} to ${to} yet: ${problem}`)
}

type Guard = (set: CutOverSet, control: Control) => Promise<string | undefined>

const GUARDS: Readonly<Partial<Record<`${CutOverPhase} → ${CutOverPhase}`, Guard>>> = {
  'backfill → verify': async (_, { backfilledAt }) =>
    backfilledAt === undefined ? 'run a backfill that ends without failures' : undefined,
  'verify → compare-reads': async (_, control) => unverified(control),
  'compare-reads → destination-first': async (set, control) =>
    unverified(control) ?? (await different(set)) ?? (await undeleted(set, 'to')),
  'destination-first → retired': async (set, control) =>
    unverifiedAtLast(control) ?? (await uncopied(set, 'to')),
  'retired → destination-first': async (_, { dropped }) =>
    dropped ? 'the source is being dropped, or has been' : undefined,
  'destination-first → compare-reads': set => undeleted(set, 'from'),
  'dual-write → source-only': async set => (await undeleted(set, 'from')) ?? (await uncopied(set, 'from')),
}

function unverified(control: Control): string | undefined {
  const found = storedVerification(control)
  if (found === undefined) return 'verify both sides'
  return found.matched
    ? undefined
    : 'the last verification found what does not match; settle, or look at it, and verify again'
}

/** Nothing may be known of the source's objects from before: it is the last look at it. */
function unverifiedAtLast(control: Control): string | undefined {
  const found = storedVerification(control)
  const isFull = found?.level === 'content' && found.changes === control.changes
  if (!isFull)
    return 'make a full verification in this phase, which reads both sides: verify at the level content'
  return found.matched
    ? undefined
    : 'the full verification found what does not match; look at it, and verify again'
}

async function different(set: CutOverSet): Promise<string | undefined> {
  const count = await countOf(set, [`SELECT COUNT(*) AS count FROM ${DIFFERENCES} WHERE name = ?`, set.name])
  return count === 0
    ? undefined
    : `compared reads differ for ${count} of the objects; look at the differences, then forget them`
}

async function undeleted(set: CutOverSet, side: 'from' | 'to'): Promise<string | undefined> {
  const count = await countOf(set, [
    `SELECT COUNT(*) AS count FROM ${OBJECTS} WHERE name = ? AND gone = 1 AND ${side}_state = 'owed'`,
    set.name,
  ])
  return count === 0
    ? undefined
    : `${count} deleted objects are not known to be gone from ${nameOf(side)}; settle first`
}

async function uncopied(set: CutOverSet, side: 'from' | 'to'): Promise<string | undefined> {
  const other = side === 'from' ? 'to' : 'from'
  const count = await countOf(set, [
    `SELECT COUNT(*) AS count FROM ${OBJECTS} WHERE name = ? AND gone = 0 AND ${side}_state <> 'held' AND ${other}_state = 'held'`,
    set.name,
  ])
  return count === 0 ? undefined : `${count} objects are owed to ${nameOf(side)}; settle first`
}

function nameOf(side: 'from' | 'to'): string {
  return side === 'from' ? 'the source' : 'the destination'
}

async function countOf(set: CutOverSet, statement: Statement): Promise<number> {
  return Number((await set.query(statement))[0]!.count)
}

/**
 * The phases of a cut-over and what a process does in each. Neighbours are made so that processes in one and in the other harm nothing
 * together; of phases further apart that is not true, so a change waits for all processes.
 */
export const CUT_OVER_PHASES = [
  'source-only',
  'dual-write',
  'backfill',
  'verify',
  'compare-reads',
  'destination-first',
  'retired',
] as const

/**
 * - `source-only`: as the source alone.
 * - `dual-write`: writes go to the source, then to the destination.
 * - `backfill`: the same, and what was there before is copied. No process is in `source-only` any more.
 * - `verify`: the same, and both sides are held against each other.
 * - `compare-reads`: the same, and some reads are compared with the destination in the background.
 * - `destination-first`: reads and writes go to the destination first, writes to the source, too.
 * - `retired`: the destination alone. What the source lacks is written down, so that there is a way back.
 */
export type CutOverPhase = (typeof CUT_OVER_PHASES)[number]

export type Side = 'from' | 'to'

export const SIDES: readonly Side[] = ['from', 'to']

export function otherSide(side: Side): Side {
  return side === 'from' ? 'to' : 'from'
}

export interface PhaseRules {
  readonly phase: CutOverPhase
  /** Read, signed and written first: what fails here fails. */
  readonly first: Side
  readonly second: Side
  /** Whether writes go to the second side, too, and reads that miss look there. */
  readonly usesSecond: boolean
  /** Whether each write is written down before its effect. Before the cut-over begins that would be for nothing. */
  readonly journals: boolean
  /**
   * Whether a delete must have reached the second side, too, before it is one: where that side, here or in a neighbouring phase, is
   * read first. Elsewhere it is owed.
   */
  readonly deletesBoth: boolean
  readonly compares: boolean
}

const dual = {
  first: 'from',
  second: 'to',
  usesSecond: true,
  journals: true,
  deletesBoth: false,
  compares: false,
} as const

const RULES: readonly PhaseRules[] = [
  { ...dual, phase: 'source-only', usesSecond: false, journals: false },
  { ...dual, phase: 'dual-write' },
  { ...dual, phase: 'backfill' },
  { ...dual, phase: 'verify' },
  { ...dual, phase: 'compare-reads', deletesBoth: true, compares: true },
  { ...dual, phase: 'destination-first', first: 'to', second: 'from', deletesBoth: true },
  { ...dual, phase: 'retired', first: 'to', second: 'from', usesSecond: false },
]

/** By its number, as the database has it. */
export function rulesOf(number: number): PhaseRules {
  return RULES[number]!
}

export function numberOf(phase: CutOverPhase): number {
  return CUT_OVER_PHASES.indexOf(phase)
}

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { jsonLines } from '../cli/program-process.ts'

const OBJECTS = 1_000_000
/** Those whose number is 7 above a multiple of 2,503. */
const ORPHANS = Math.ceil((OBJECTS - 7) / 2503)
/** Of old space: a list of the keys alone would take more. */
const HEAP_MIB = 64
const MIB = 2 ** 20

interface Phase {
  readonly phase: string
  readonly seconds: number
  readonly heapFirstHalf: number
  readonly heapSecondHalf: number
  readonly peakRss: number
  readonly [name: string]: unknown
}

describe('a million objects', () => {
  let phases: Phase[]
  const phase = (name: string) => phases.find(one => one.phase === name)!

  beforeAll(async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--expose-gc',
      `--max-old-space-size=${HEAP_MIB}`,
      '--import',
      'tsx',
      join(import.meta.dirname, 'million-objects.ts'),
      String(OBJECTS),
    ])
    phases = jsonLines(stdout) as never
    for (const { phase, seconds, heapFirstHalf, heapSecondHalf, peakRss } of phases)
      console.log(
        `${phase}: ${seconds} s; heap ${(heapFirstHalf / MIB).toFixed(1)}, later ${(heapSecondHalf / MIB).toFixed(1)} MiB; the whole process at most ${(peakRss / MIB).toFixed(0)} MiB`,
      )
  }, 300_000)

  it('are audited: every planted orphan is found, and nothing else', () => {
    const audit = phase('audit')
    expect(audit).toMatchObject({
      objects: OBJECTS + 1,
      records: OBJECTS - ORPHANS,
      planted: ORPHANS,
      listed: 100,
      deleted: 0,
    })
    const found = Object.entries(audit.counts as object).filter(([, count]) => count > 0)
    expect(found).toEqual([['orphan', ORPHANS]])
  })

  it('are not touched when a page of the list fails', () => {
    const { outcome, gone, wrong } = phase('collect with a page that fails')
    expect([outcome, gone, wrong]).toEqual(['unavailable', phase('collect').gone, 0])
  })

  it('are listed for longer than the grace, and only orphans that were seen a grace before the start go', () => {
    const { orphans, waiting, removed, gone, wrong } = phase('collect')
    expect([Number(orphans) + Number(waiting), removed, gone, wrong]).toEqual([ORPHANS, orphans, orphans, 0])
    expect(orphans).toBeGreaterThan(0)
    expect(waiting).toBeGreaterThan(0)
  })

  it('are collected: every planted orphan goes, and nothing else', () => {
    expect(phase('collect again')).toMatchObject({ waiting: 0, gone: ORPHANS, wrong: 0 })
  })

  it('take no more memory at their end than at their beginning', () => {
    for (const { heapFirstHalf, heapSecondHalf } of phases)
      expect(heapSecondHalf).toBeLessThan(heapFirstHalf + 4 * MIB)
  })
})

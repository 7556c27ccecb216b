import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { jsonLines } from '../../cli/program-process.ts'

const MIB = 2 ** 20
/** Of old space: a list of the keys alone would take more. */
const HEAP_MIB = 64

interface Phase {
  readonly phase: string
  readonly seconds: number
  readonly cpuSeconds: number
  readonly heapFirstHalf: number
  readonly heapSecondHalf: number
  readonly peakRss: number
  readonly plan: object
}

async function phases(...args: readonly string[]): Promise<Phase[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--expose-gc',
    `--max-old-space-size=${HEAP_MIB}`,
    '--import',
    'tsx',
    join(import.meta.dirname, 'million-objects.ts'),
    ...args,
  ])
  const found = jsonLines(stdout) as unknown as Phase[]
  for (const { phase, seconds, cpuSeconds, heapFirstHalf, heapSecondHalf, peakRss } of found)
    console.log(
      `plan of ${args[0]}, ${phase}: ${seconds} s (${cpuSeconds} of a processor); heap ${(heapFirstHalf / MIB).toFixed(1)}, later ${(heapSecondHalf / MIB).toFixed(1)} MiB; the whole process at most ${(peakRss / MIB).toFixed(0)} MiB`,
    )
  return found
}

describe('a plan of very many objects', () => {
  it('takes no more memory at its end than at its beginning, for a million', async () => {
    const [first] = await phases('1000000')
    expect(first!.plan).toMatchObject({ objects: 1_000_000, toCopy: { objects: 1_000_000 } })
    expect(first!.heapSecondHalf).toBeLessThan(first!.heapFirstHalf + 4 * MIB)
  }, 600_000)

  it('takes no more when it is made again', async () => {
    const found = await phases('150000', 'again')
    expect(found[1]!.plan).toMatchObject({
      toCopy: { objects: 0 },
      copied: { objects: 150_000 },
      since: { added: 0, changed: 0, lost: 0, gone: 0 },
      requests: { lists: 300 },
    })
    expect(found[1]!.heapSecondHalf).toBeLessThan(found[1]!.heapFirstHalf + 4 * MIB)
  }, 600_000)
})

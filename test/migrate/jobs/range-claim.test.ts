import { expect, it, onTestFinished } from 'vitest'
import { prepareClaims } from '../../../src/migrate/claim.ts'
import { type ClaimSettings, withClaim } from '../../../src/migrate/jobs/range-claim.ts'
import { sqlite } from '../../../src/sql/sqlite/index.ts'

/** So long that a call to the database takes no part of it that counts. */
const LEASE_MS = 100_000

/** Processes that share a database and a time that only a test moves on. One that is `still` wakes from no sleep. */
async function processes() {
  const engine = sqlite({ path: ':memory:' })
  onTestFinished(() => engine.close())
  let time = 0
  let ids = 0
  const process = () => {
    let awake = Promise.resolve()
    let wake = () => {}
    const settings: ClaimSettings = {
      engine,
      leaseMs: LEASE_MS,
      newId: () => `holder-${++ids}`,
      elapsed: () => time,
      // The time passes while somebody sleeps, a little at a time, so that all get their turn.
      async sleep(ms, signal) {
        const until = time + ms
        while (time < until && !signal?.aborted) {
          await new Promise(resolve => setImmediate(resolve))
          time += 5
        }
        await awake
        signal?.throwIfAborted()
      },
    }
    return {
      settings,
      standStill() {
        awake = new Promise(resolve => {
          wake = resolve
        })
      },
      goOn: () => wake(),
    }
  }
  const [one, other] = [process(), process()]
  await prepareClaims(one.settings)
  return { one, other, elapsed: () => time }
}

const lostOf = (signal: AbortSignal) =>
  new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))

it('one range is worked on by one process after the other', async () => {
  const { one, other, elapsed } = await processes()
  const said: string[] = []
  const work = (name: string) => async () => {
    said.push(`${name} begins`)
    const until = elapsed() + 3 * LEASE_MS
    while (elapsed() < until) await one.settings.sleep(50, undefined)
    said.push(`${name} ends`)
  }
  await Promise.all([
    withClaim(one.settings, 'range', undefined, work('one')),
    withClaim(other.settings, 'range', undefined, work('other')),
  ])
  expect(said.map(line => line.split(' ')[1])).toEqual(['begins', 'ends', 'begins', 'ends'])
})

it('two ranges are worked on at once', async () => {
  const { one, other } = await processes()
  await withClaim(one.settings, 'range', undefined, async () => {
    expect(await withClaim(other.settings, 'another', undefined, async () => 'done')).toBe('done')
  })
})

it('a process that stands still loses its range, and is stopped when it goes on', async () => {
  const { one, other } = await processes()
  let isStopped = false
  const first = withClaim(one.settings, 'range', undefined, async signal => {
    one.standStill()
    await lostOf(signal)
    isStopped = true
    throw signal.reason
  })
  first.catch(() => {})
  await withClaim(other.settings, 'range', undefined, async () => {
    expect(isStopped).toBe(false)
    one.goOn()
    await expect(first).rejects.toMatchObject({ code: 'conflict' })
  })
  expect(isStopped).toBe(true)
})

it('an end of the wait ends it', async () => {
  const { one, other } = await processes()
  const ending = new AbortController()
  await withClaim(one.settings, 'range', undefined, async () => {
    const waiting = withClaim(other.settings, 'range', ending.signal, async () => 'never')
    ending.abort(new Error('ended'))
    await expect(waiting).rejects.toThrow('ended')
  })
})

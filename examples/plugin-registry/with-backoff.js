import { setTimeout as wait } from 'node:timers/promises'

const ATTEMPTS = 8
const FIRST_MS = 100
const MOST_MS = 5_000

/** A failure after which trying again can't help: the registry has understood, and refuses. */
export class Refused extends Error {
  constructor(code, message) {
    super(message)
    this.code = code
  }
}

/**
 * Does `work` until it succeeds or is refused, 8 times at most. Pauses are random and grow, so that clients that failed
 * together don't come back together. Where one request in twenty fails, one call in 25,000,000,000 does.
 *
 * @template Result
 * @param {(attempt: number) => Promise<Result>} work
 * @param {{ sleep?: (ms: number) => Promise<unknown>, random?: () => number }} [options]
 * @returns {Promise<Result>}
 */
export async function withBackoff(work, { sleep = wait, random = Math.random } = {}) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(attempt)
    } catch (error) {
      if (error instanceof Refused || attempt === ATTEMPTS) throw error
      await sleep(random() * Math.min(MOST_MS, FIRST_MS * 2 ** attempt))
    }
  }
}

import { Agent } from 'undici'
import { expect, test } from 'vitest'
import { loadAgent } from '../../../src/adapters/s3/peers.ts'

test("the agent is undici's own, from a file that loads faster than the whole package", async () => {
  expect(await loadAgent()).toBe(Agent)
})

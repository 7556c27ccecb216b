import { describe, expect, it } from 'vitest'
import { supabase } from '../../../src/adapters/supabase/index.ts'

/** A provider whose server gives one answer to everything. */
function answering(status: number, headers: Record<string, string>, body: object = {}) {
  const asked: string[] = []
  const files = supabase({
    bucket: 'photos',
    url: 'https://abc.supabase.co',
    key: 'a-key-of-the-project',
    fetch: async input => {
      asked.push(String(input))
      return new Response(JSON.stringify(body), { status, headers })
    },
  })
  return { files, asked }
}

const DATE = { date: 'Wed, 01 Jul 2026 10:00:00 GMT' }

describe("supabase's clock", () => {
  it.each([200, 400, 404])('is the date of an answer of %i, to one request', async status => {
    const { files, asked } = answering(status, DATE, { statusCode: String(status), error: 'not_found' })
    expect(await files.clock()).toEqual(new Date('2026-07-01T10:00:00Z'))
    expect(asked).toHaveLength(1)
  })

  it.each([
    [429, 'rate-limited'],
    [503, 'unavailable'],
  ] as const)('is not that of an answer of %i', async (status, code) => {
    await expect(answering(status, DATE).files.clock()).rejects.toMatchObject({ code, operation: 'clock' })
  })

  it.each([[{}], [{ date: 'yesterday' }]])('is never guessed: %o', async headers => {
    await expect(answering(200, headers as Record<string, string>).files.clock()).rejects.toMatchObject({
      code: 'internal',
    })
  })
})

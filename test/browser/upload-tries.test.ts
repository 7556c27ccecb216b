/** The waits and decisions between tries, with a request that answers at once. */
import { afterEach, expect, it, vi } from 'vitest'
import { type SentSignedUpload, type UploadDirectOptions, uploadDirect } from '../../src/browser/index.ts'

interface Answer {
  status: number
  headers?: string
  text?: string
}

/** What `sendUpload` uses of XMLHttpRequest. */
function stubRequests(answers: Answer[]): string[] {
  const sent: string[] = []
  vi.stubGlobal('navigator', { onLine: true })
  vi.stubGlobal(
    'XMLHttpRequest',
    class {
      upload = {}
      onloadend = () => {}
      status = 0
      responseText = ''
      #answer!: Answer
      open(method: string, url: string) {
        sent.push(`${method} ${url}`)
        this.#answer = answers[Math.min(sent.length, answers.length) - 1]!
      }
      setRequestHeader() {}
      getAllResponseHeaders() {
        return this.#answer.headers ?? ''
      }
      abort() {}
      send() {
        this.status = this.#answer.status
        this.responseText = this.#answer.text ?? ''
        this.onloadend()
      }
    },
  )
  return sent
}

afterEach(() => vi.unstubAllGlobals())

const NOW = Date.UTC(2026, 0, 1)

const target = (url = '/first', expiresAt = NOW + 60_000): SentSignedUpload => ({
  method: 'PUT',
  url,
  headers: {},
  expiresAt: new Date(expiresAt),
})

function upload(options: UploadDirectOptions = {}, signed = target()) {
  const waits: number[] = []
  const done = uploadDirect(signed, new Blob(['bytes']), {
    random: () => 1,
    now: () => NOW,
    sleep: async ms => waits.push(ms),
    ...options,
  })
  return { done, waits }
}

it('waits twice as long with each try, never longer than it may', async () => {
  stubRequests([{ status: 503 }])
  const { done, waits } = upload({ attempts: 6, minDelayMs: 100, maxDelayMs: 1000 })
  await expect(done).rejects.toMatchObject({ code: 'unavailable', status: 503 })
  expect(waits).toEqual([100, 200, 400, 800, 1000])
})

it('waits a random part of that, so that pages do not come back together', async () => {
  stubRequests([{ status: 500 }, { status: 500 }, { status: 200 }])
  const randoms = [0.25, 0]
  const { done, waits } = upload({ random: () => randoms.shift()!, minDelayMs: 1000 })
  expect(await done).toEqual({ attempts: 3 })
  expect(waits).toEqual([250, 0])
})

it.each([
  ['seconds', 'retry-after: 3\r\n'],
  ['a date', `Retry-After: ${new Date(NOW + 3000).toUTCString()}\r\n`],
])('waits as long as the store asks for in %s', async (_, headers) => {
  stubRequests([{ status: 429, headers }, { status: 200 }])
  const { done, waits } = upload({ random: () => 0 })
  await done
  expect(waits).toEqual([3000])
})

it('tries again where another write to the same key was under way, not where the file exists', async () => {
  stubRequests([{ status: 409 }, { status: 409, text: '{"error":{"code":"already-exists"}}' }])
  const { done, waits } = upload()
  await expect(done).rejects.toMatchObject({ code: 'already-exists', retryable: false })
  expect(waits).toHaveLength(1)
})

it('does not wait for a store that asks for longer than it may', async () => {
  const sent = stubRequests([{ status: 503, headers: 'retry-after: 3600\r\n' }])
  const { done } = upload()
  await expect(done).rejects.toMatchObject({ code: 'unavailable', retryAfterMs: 3_600_000 })
  expect(sent).toHaveLength(1)
})

it('asks for a new URL in the middle of its tries when the old one runs out', async () => {
  const sent = stubRequests([{ status: 0 }, { status: 0 }, { status: 200 }])
  let now = NOW
  const { done } = upload({
    now: () => now,
    sleep: async () => {
      now += 40_000
    },
    renew: async () => target('/second', now + 60_000),
  })
  expect(await done).toMatchObject({ attempts: 3 })
  expect(sent).toEqual(['PUT /first', 'PUT /first', 'PUT /second'])
})

it('stops where the URL has run out and nobody can give another', async () => {
  const sent = stubRequests([{ status: 0 }])
  const { done } = upload({}, target('/first', NOW - 1))
  await expect(done).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('the signed URL has expired'),
  })
  expect(sent).toHaveLength(1)
})

it('ends a wait when it is told to', async () => {
  stubRequests([{ status: 500 }])
  const stop = new AbortController()
  const { done } = upload({
    signal: stop.signal,
    sleep: () => new Promise(() => {}),
    onRetry: () => stop.abort(),
  })
  await expect(done).rejects.toMatchObject({ code: 'aborted' })
})

it('sends nothing when it is told to stop before it begins', async () => {
  const sent = stubRequests([{ status: 200 }])
  await expect(upload({ signal: AbortSignal.abort() }).done).rejects.toMatchObject({ code: 'aborted' })
  expect(sent).toEqual([])
})

it('passes on what the backend says when it gives no other URL', async () => {
  stubRequests([{ status: 403 }])
  const { done } = upload({ renew: () => Promise.reject(new Error('signed out')) })
  await expect(done).rejects.toThrow('signed out')
})

it('refuses options that are misspelt or would never end', async () => {
  const sent = stubRequests([{ status: 200 }])
  for (const options of [
    { retries: 3 },
    { attempts: 0 },
    { attempts: Number.NaN },
    { minDelayMs: 9, maxDelayMs: 3 },
  ])
    await expect(upload(options).done, JSON.stringify(options)).rejects.toMatchObject({
      code: 'invalid-argument',
    })
  expect(sent).toEqual([])
})

it('goes on whatever its listener throws', async () => {
  stubRequests([{ status: 500 }, { status: 200 }])
  const fail = () => {
    throw new Error('a mistake of the page')
  }
  expect(await upload({ onRetry: fail }).done).toEqual({ attempts: 2 })
})

import * as http from 'node:http'
import * as https from 'node:https'
import type { PurgeFetch } from './vendor-request.ts'

/** A `fetch` to one server under the name of another: the global one keeps `Host` to itself. */
export const hostFetch: PurgeFetch = (url, { method, headers, body, signal }) =>
  new Promise((resolve, reject) => {
    const { request } = url.startsWith('https:') ? https : http
    const servername = headers.host?.replace(/:\d+$/, '')
    const sent = request(url, { method, headers, signal, servername }, response => {
      const text = textOf(response)
      // Whoever reads it may do so later: until then a broken answer is nobody's unhandled rejection.
      text.catch(() => undefined)
      resolve({
        status: response.statusCode ?? 0,
        headers: { get: name => oneValue(response.headers[name.toLowerCase()]) },
        text: () => text,
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })

async function textOf(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

function oneValue(value: string | string[] | undefined): string | null {
  return (Array.isArray(value) ? value[0] : value) ?? null
}

/** The server's answers. What it refuses is thrown with its words. */
const NETWORK = 'The server was not reached. Check the connection and try again.'

export async function ask(method, path, body, { signal } = {}) {
  const request = { method, signal }
  if (body !== undefined) {
    request.headers = { 'content-type': 'application/json' }
    request.body = JSON.stringify(body)
  }
  const response = await fetch(path, request).catch(error => {
    if (signal?.aborted) throw error
    throw new Error(NETWORK)
  })
  const isJson = response.headers.get('content-type')?.includes('json')
  const answer = isJson ? await response.json() : undefined
  if (response.ok) return answer
  const error = new Error(answer?.error?.message ?? `The server answered ${response.status}.`)
  error.status = response.status
  throw error
}

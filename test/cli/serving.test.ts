import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { describe, expect, it } from 'vitest'
import { finished, jsonLines, theProgram } from './program-process.ts'

const { run, start } = theProgram()
const STOWAGE_URL_SECRET = 'a-secret-of-some-length'

async function served(args: string[], env: Record<string, string>) {
  const child = start(['serve', '--port', '0', ...args], env)
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  const end = finished(child)
  return {
    line,
    stop: async () => {
      child.kill('SIGINT')
      return end
    },
  }
}

describe('sign and serve', () => {
  it('hand out URLs that work over HTTP, for reading and for uploading', async () => {
    const server = await served(['--json', 'file:./s'], { STOWAGE_URL_SECRET })
    const { url: STOWAGE_BASE_URL } = JSON.parse(server.line) as { url: string }
    const env = { STOWAGE_URL_SECRET, STOWAGE_BASE_URL }
    await run(['put', '-', 'file:./s', 'ö b.txt'], { stdin: 'Hello' })
    const signed = await run(['sign', 'file:./s', 'ö b.txt', '-e', '10m', '--download', 'Grüße.txt'], { env })
    const response = await fetch(signed.stdout.trim())
    expect([response.status, await response.text()]).toEqual([200, 'Hello'])
    expect(response.headers.get('content-disposition')).toContain("UTF-8''Gr%C3%BC%C3%9Fe.txt")
    expect((await fetch(`${STOWAGE_BASE_URL}/%C3%B6%20b.txt`)).status).toBe(403)

    const upload = await run(['sign', '--json', 'file:./s', 'in.txt', '-m', 'put', '--max-size', '5'], {
      env,
    })
    const [{ url, method }] = jsonLines(upload.stdout) as [{ url: string; method: string }]
    expect((await fetch(url, { method, body: '123456' })).status).toBe(413)
    expect((await fetch(url, { method, body: '12345' })).status).toBe(200)
    expect((await run(['cat', 'file:./s', 'in.txt'])).stdout).toBe('12345')
    expect(await server.stop()).toMatchObject({ code: 0, stderr: '' })
  })

  it('make a secret for the run where there is none, and say how to use it', async () => {
    const server = await served(['file:./s2', '--public', 'open/'], {})
    const url = server.line.replace(/^.* at /, '')
    await run(['put', '-', 'file:./s2', 'open/a.txt'], { stdin: 'for all' })
    await run(['put', '-', 'file:./s2', 'closed.txt'], { stdin: 'for few' })
    expect(await (await fetch(`${url}/open/a.txt`)).text()).toBe('for all')
    expect((await fetch(`${url}/closed.txt`)).status).toBe(403)
    const { stderr } = await server.stop()
    const [, baseUrl, secret] = /STOWAGE_BASE_URL=(\S+) STOWAGE_URL_SECRET=(\S+)/.exec(stderr)!
    expect([baseUrl, secret!.length]).toEqual([url, 32])
  })

  it('say that a port is taken', async () => {
    const server = await served(['file:./s3'], { STOWAGE_URL_SECRET })
    const port = new URL(server.line.replace(/^.* at /, '')).port
    const second = await run(['serve', 'file:./s3', '-p', port])
    expect([second.code, second.stderr]).toEqual([5, expect.stringContaining('choose one with --port')])
    await server.stop()
  })
})

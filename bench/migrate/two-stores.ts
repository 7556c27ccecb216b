/** Two MinIOs, and before each a proxy that delays or only counts. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { startMinio } from '../../test/support/minio.ts'
import type { RunningS3Server } from '../../test/support/s3-server.ts'

export interface Proxy {
  readonly endpoint: string
  /** Requests so far, and microseconds of its CPU. */
  seen(): Promise<{ requests: number; cpu: number }>
  stop(): Promise<void>
}

export interface TwoStores {
  readonly from: RunningS3Server
  readonly to: RunningS3Server
  /** Proxies with `delayMs` before both, for as long as `work` takes. */
  behind<Result>(delayMs: number, work: (from: Proxy, to: Proxy) => Promise<Result>): Promise<Result>
  stop(): Promise<void>
}

export async function twoStores(minio: string): Promise<TwoStores> {
  const from = await startMinio(minio)
  const to = await startMinio(minio)
  return {
    from,
    to,
    async behind(delayMs, work) {
      const proxies = await Promise.all([from, to].map(server => startProxy(server.endpoint, delayMs)))
      try {
        return await work(proxies[0]!, proxies[1]!)
      } finally {
        await Promise.all(proxies.map(proxy => proxy.stop()))
      }
    },
    async stop() {
      await from.stop()
      await to.stop()
    },
  }
}

export async function startProxy(target: string, delayMs: number): Promise<Proxy> {
  const module = fileURLToPath(new URL('./delay-proxy.ts', import.meta.url))
  const child = fork(module, [new URL(target).port, String(delayMs)], {
    execArgv: ['--import', 'tsx', '--no-warnings'],
  })
  const { port } = await next<{ port: number }>(child)
  return {
    endpoint: `http://127.0.0.1:${port}`,
    async seen() {
      child.send('seen')
      const { requests, cpu } = await next<{ requests: number; cpu: NodeJS.CpuUsage }>(child)
      return { requests, cpu: cpu.user + cpu.system }
    },
    async stop() {
      const exit = once(child, 'exit')
      child.disconnect()
      await exit
    },
  }
}

async function next<Message>(child: ChildProcess): Promise<Message> {
  return (await once(child, 'message'))[0]
}

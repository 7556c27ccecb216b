/** Real Redis servers on loopback for tests: one, or a Cluster of three. They keep nothing on disk. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { freePort } from './free-port.ts'

export interface RunningRedis {
  readonly port: number
  readonly url: string
  readonly pid: number
  /** The process stands still, its connections stay open. */
  freeze(): void
  thaw(): void
  /** Ends it without a word, and starts an empty one on the same port. */
  kill(): Promise<void>
  restart(): Promise<void>
  /** Ends it and removes its folder. */
  stop(): Promise<void>
}

export interface RunningCluster {
  readonly nodes: readonly RunningRedis[]
  readonly urls: readonly string[]
  stop(): Promise<void>
}

const READY_LIMIT_MS = 20_000
const ATTEMPTS = 3

/** `command` is the path of `redis-server`, see `findTool('redis-server')`; `settings` are added to its own. */
export async function startRedis(
  command: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<RunningRedis> {
  let failure: unknown
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    try {
      return await startOn(command, await portWithBus(), settings)
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

/** Three masters that share the slots, without replicas. */
export async function startRedisCluster(command: string): Promise<RunningCluster> {
  const nodes: RunningRedis[] = []
  const stop = async () => {
    await Promise.all(nodes.map(node => node.stop()))
  }
  try {
    for (let n = 0; n < 3; n++)
      nodes.push(
        await startRedis(command, {
          'cluster-enabled': 'yes',
          'cluster-config-file': 'nodes.conf',
          'cluster-node-timeout': '2000',
        }),
      )
    const clients = nodes.map(node => new Redis(node.url))
    try {
      const share = Math.ceil(16_384 / nodes.length)
      for (const [n, client] of clients.entries()) {
        const slots = Array.from({ length: share }, (_, slot) => n * share + slot)
        await client.cluster(
          'ADDSLOTS',
          slots.filter(slot => slot < 16_384),
        )
        await client.cluster('MEET', '127.0.0.1', nodes[0]!.port)
      }
      const deadline = performance.now() + READY_LIMIT_MS
      for (const client of clients)
        for (;;) {
          const info = String(await client.cluster('INFO'))
          if (info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:3')) break
          if (performance.now() > deadline) throw new Error(`the Cluster was not ready: ${info}`)
          await wait(25)
        }
    } finally {
      for (const client of clients) client.disconnect()
    }
    return { nodes, urls: nodes.map(node => node.url), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function startOn(
  command: string,
  port: number,
  settings: Readonly<Record<string, string>>,
): Promise<RunningRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'stowage-redis-'))
  const url = `redis://127.0.0.1:${port}`
  let child: ChildProcess
  const removeNow = () => {
    child?.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
  const run = async () => {
    const all = {
      port: String(port),
      bind: '127.0.0.1',
      save: '',
      appendonly: 'no',
      dir: folder,
      ...settings,
    }
    const args = Object.entries(all).flatMap(([name, value]) => [`--${name}`, value])
    child = spawn(command, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    await ready(child, url)
  }
  // A process that stands still ends by nothing else.
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
    const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
    child.kill('SIGKILL')
    await ended
  }
  // Teardown is not reached when the runner is told to end at once; what it started must not outlive it.
  process.once('exit', removeNow)
  const stop = async () => {
    await kill()
    process.removeListener('exit', removeNow)
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await run()
  } catch (error) {
    await stop()
    throw error
  }
  return {
    port,
    url,
    get pid() {
      return child.pid as number
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    kill,
    restart: run,
    stop,
  }
}

/** A Cluster's nodes talk on a port that is 10,000 higher. */
async function portWithBus(): Promise<number> {
  for (;;) {
    const port = await freePort()
    if (port + 10_000 < 65_536) return port
  }
}

async function ready(child: ChildProcess, url: string): Promise<void> {
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', chunk => {
      output = (output + chunk).slice(-4_000)
    })
  let failure: Error | undefined
  child.once('error', error => {
    failure = error
  })
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null })
  client.on('error', () => {})
  try {
    const deadline = performance.now() + READY_LIMIT_MS
    while (performance.now() < deadline && failure === undefined && child.exitCode === null) {
      try {
        await client.connect()
        await client.ping()
        // Another program may have taken the port.
        if (String(await client.info('server')).includes(`process_id:${child.pid}`)) return
        throw new Error('another Redis answers on the port')
      } catch {
        client.disconnect()
        await wait(10)
      }
    }
    throw new Error(`redis-server did not start: ${failure?.message ?? (output.trim() || 'it said nothing')}`)
  } finally {
    client.disconnect()
  }
}

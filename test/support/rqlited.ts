/** A real cluster of rqlite: one process a node, in folders of their own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { freePort } from './free-port.ts'
import type { RqliteCluster, RqliteNode, RqliteOptions } from './rqlite.ts'

const LIMIT_MS = 30_000
const POLL_MS = 50
const ASK_LIMIT_MS = 1_000
/** For what the cluster is asked by the tests themselves. */
const ADMIN = { username: 'stowage-tests', password: 'a-password-of-the-tests' }

interface RealNode extends RqliteNode {
  readonly args: readonly string[]
  readonly folder: string
  process: ChildProcess
  state: 'running' | 'paused' | 'killed'
  output: string
}

interface Status {
  store: {
    /** Both are absent while the node starts. */
    leader?: { node_id: string }
    raft?: { applied_index: number; commit_index: number; state: string }
  }
}

export async function startRqlited(command: string, options: RqliteOptions): Promise<RqliteCluster> {
  const folder = mkdtempSync(join(tmpdir(), 'stowage-rqlited-'))
  const nodes: RealNode[] = []
  const removeNow = () => {
    for (const node of nodes) node.process.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
  process.once('exit', removeNow)
  const stop = async () => {
    await Promise.all(nodes.map(node => end(node)))
    process.removeListener('exit', removeNow)
    rmSync(folder, { recursive: true, force: true })
  }
  const settle = () => settled(nodes)
  try {
    let first: string | undefined
    for (let index = 1; index <= (options.size ?? 3); index += 1) {
      const address = `127.0.0.1:${await freePort()}`
      const raft = `127.0.0.1:${await freePort()}`
      const id = `node${index}`
      const args = [...argumentsOf(folder, options), '-node-id', id, '-http-addr', address]
      args.push('-raft-addr', raft, ...(first ? ['-join', first] : []), join(folder, id))
      first ??= raft
      const url = `${options.tls ? 'https' : 'http'}://${address}`
      nodes.push(started({ id, url, args, folder }, command))
      await settle()
    }
  } catch (error) {
    await stop()
    throw error
  }
  const own = (node: RqliteNode) => {
    const found = nodes.find(one => one.id === node.id)
    if (!found) throw new Error(`there is no ${node.id}`)
    return found
  }
  return {
    kind: 'rqlited',
    nodes: nodes.map(({ id, url }) => ({ id, url })),
    leader: async () => {
      for (const node of nodes.filter(({ state }) => state === 'running')) {
        const status = await ask(node)
        if (status?.store.raft?.state === 'Leader') return { id: node.id, url: node.url }
      }
      return undefined
    },
    kill: async node => {
      await end(own(node))
    },
    restart: async node => {
      const found = own(node)
      if (found.state !== 'killed') throw new Error(`${node.id} runs`)
      Object.assign(found, started(found, command))
      await until(
        async () => (await ask(found)) !== undefined,
        () => `${node.id} answers: ${found.output}`,
      )
    },
    pause: async node => {
      own(node).process.kill('SIGSTOP')
      own(node).state = 'paused'
    },
    resume: async node => {
      own(node).process.kill('SIGCONT')
      own(node).state = 'running'
    },
    settle,
    standIn: { unavailable: 'a real cluster has no fault switches' },
    stop,
  }
}

function argumentsOf(folder: string, { foreignKeys, users, tls }: RqliteOptions): string[] {
  const args: string[] = []
  const file = (name: string, content: string) => {
    writeFileSync(join(folder, name), content)
    return join(folder, name)
  }
  if (foreignKeys) args.push('-fk')
  if (tls) args.push('-http-cert', file('cert.pem', tls.cert), '-http-key', file('key.pem', tls.key))
  if (users) {
    const all = [...users, { ...ADMIN, perms: ['all'] }]
    args.push('-auth', file('users.json', JSON.stringify(all)), '-join-as', ADMIN.username)
  }
  return args
}

function started(node: Pick<RealNode, 'id' | 'url' | 'args' | 'folder'>, command: string): RealNode {
  const child = spawn(command, node.args, { cwd: node.folder, stdio: ['ignore', 'pipe', 'pipe'] })
  const running: RealNode = { ...node, process: child, state: 'running', output: '' }
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', chunk => {
      running.output = (running.output + chunk).slice(-2_000)
    })
  return running
}

/** SIGKILL also ends a process that stands still. */
async function end(node: RealNode): Promise<void> {
  node.state = 'killed'
  const { process: child } = node
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
  child.kill('SIGKILL')
  await ended
}

async function settled(nodes: readonly RealNode[]): Promise<void> {
  const running = nodes.filter(({ state }) => state === 'running')
  await until(
    async () => {
      const all = await Promise.all(running.map(ask))
      const leader = all.find(status => status?.store.raft?.state === 'Leader')?.store
      const committed = leader?.raft?.commit_index
      if (!leader || committed === undefined) return false
      return all.every(
        status =>
          status?.store.leader !== undefined &&
          status.store.leader.node_id === leader.leader?.node_id &&
          (status.store.raft?.applied_index ?? -1) >= committed,
      )
    },
    () => `one leads and all have applied all: ${running.map(({ output }) => output).join('\n')}`,
  )
}

async function until(isSo: () => Promise<boolean>, what: () => string): Promise<void> {
  const deadline = performance.now() + LIMIT_MS
  while (performance.now() < deadline) {
    if (await isSo()) return
    await wait(POLL_MS)
  }
  throw new Error(`after ${LIMIT_MS} ms it is still not so that ${what()}`)
}

/** Undefined where the node does not answer. */
function ask(node: RealNode): Promise<Status | undefined> {
  return new Promise(resolve => {
    const request = node.url.startsWith('https:') ? httpsRequest : httpRequest
    const sent = request(
      `${node.url}/status`,
      {
        auth: `${ADMIN.username}:${ADMIN.password}`,
        rejectUnauthorized: false,
        timeout: ASK_LIMIT_MS,
        agent: false,
      },
      async answer => {
        try {
          const chunks: Buffer[] = []
          for await (const chunk of answer) chunks.push(chunk as Buffer)
          resolve(answer.statusCode === 200 ? JSON.parse(Buffer.concat(chunks).toString('utf8')) : undefined)
        } catch {
          resolve(undefined)
        }
      },
    )
    sent.once('timeout', () => sent.destroy())
    sent.once('error', () => resolve(undefined))
    sent.end()
  })
}

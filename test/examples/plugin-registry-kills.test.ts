import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RegistryClient } from '../../examples/plugin-registry/registry-client.js'
import { local } from '../../src/adapters/local/index.ts'
import { type CutOver, cutOver } from '../../src/migrate/index.ts'
import { sqlite } from '../../src/sql/sqlite/index.ts'
import { build } from '../package/packed-package.ts'
import {
  archivesIn,
  ask,
  DEFAULTS,
  newFolder,
  plugin,
  pluginFolder,
  removeFolders,
  type ShownVersion,
  startServer,
  TOKEN,
} from './plugin-registry-server.ts'
import { runExample } from './run-example.ts'

beforeAll(build)
afterAll(removeFolders)

/** More than a publication makes: a loop that never ends is a failure. */
const MOST_CALLS = 60

async function versionsOf(url: string, name: string): Promise<ShownVersion[]> {
  return (await ask<{ versions: ShownVersion[] }>(url, `/plugins/${name}`)).body.versions
}

function start(program: string, args: string[], env: Record<string, string> = {}): ChildProcess {
  const path = join(import.meta.dirname, program)
  return fork(path, args, { execArgv: [], env: { ...process.env, ...DEFAULTS, ...env } })
}

/** Its next message; a process that ends without one is a failure. */
async function messageOf<Message>(child: ChildProcess): Promise<Message> {
  const ended = once(child, 'exit').then(() => {
    throw new Error('the process ended before it came so far')
  })
  ended.catch(() => {})
  const [message] = await Promise.race([once(child, 'message'), ended])
  return message as Message
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

describe('a publisher that is killed', () => {
  it.each(['packed', 'asked', 'sending', 'sent', 'published', 'checked'])(
    'publishes one version when it is run again: killed at "%s"',
    async step => {
      const folder = newFolder()
      const server = await startServer(folder)
      try {
        const source = pluginFolder(folder, 'a', '1.0.0')
        const publisher = start('plugin-registry-publish-until.js', [source, server.url, TOKEN, step])
        expect(await messageOf(publisher)).toBe(step)
        await kill(publisher)
        const again = await runExample('plugin-registry/publish.js', [source, server.url], {
          PUBLISH_TOKEN: TOKEN,
        })
        expect([again.status, again.stderr]).toEqual([0, ''])
        const [, sha256] = /sha256 (\w+)/.exec(again.stdout)!
        expect(await versionsOf(server.url, 'a')).toMatchObject([{ version: '1.0.0', sha256 }])
        expect(archivesIn(folder, 'a')).toHaveLength(1)
      } finally {
        await server.kill('SIGTERM')
      }
    },
  )
})

describe('a server that is killed', () => {
  it.each(['one store', 'two stores, to which it writes both'])(
    'has published one version when its publisher has tried again, whichever call it was killed at: over %s',
    async over => {
      const folder = newFolder()
      const isMoving = over !== 'one store'
      if (isMoving) await inMove(folder, move => move.advance())
      const env = { MOVE_TO_URL: isMoving ? pathToFileURL(join(folder, 'moved')).href : '' }
      const stops: string[] = []
      for (let call = 1; call <= MOST_CALLS && stops.at(-1) !== 'answer'; call++) {
        const doomed = start('plugin-registry-stop-server.js', [folder, `${call}`], env)
        const { origin } = await messageOf<{ origin: string }>(doomed)
        const version = plugin('a', `1.0.${call}`)
        const publishing = new RegistryClient(origin, { token: TOKEN, backoff: { sleep: failNow } })
        const failed = expect(publishing.publish(version)).rejects.toThrow('not tried again here')
        stops.push((await messageOf<{ stoppedAt: string }>(doomed)).stoppedAt)
        await kill(doomed)
        await failed
        const next = start('plugin-registry-stop-server.js', [folder], env)
        try {
          const url = (await messageOf<{ origin: string }>(next)).origin
          await new RegistryClient(url, { token: TOKEN }).publish(version)
          expect(await versionsOf(url, 'a'), stops.at(-1)).toHaveLength(call)
          expect(archivesIn(folder, 'a'), stops.at(-1)).toHaveLength(call)
        } finally {
          await kill(next)
        }
      }
      expect(stops.length).toBeGreaterThan(8)
      expect(stops.filter(stop => stop === 'engine.batch').length).toBeGreaterThanOrEqual(2)
      expect(stops).toContain('store.copy')
      expect(stops.at(-1)).toBe('answer')
      if (!isMoving) return
      await inMove(folder, move => move.settle())
      expect(archivesIn(folder, 'a', 'moved')).toEqual(archivesIn(folder, 'a'))
    },
    300_000,
  )
})

/** What an operator does with the move of the store in `folder`. */
async function inMove(folder: string, work: (move: CutOver) => Promise<unknown>): Promise<void> {
  const engine = sqlite({ path: join(folder, 'registry.db') })
  const [from, to] = [local({ root: join(folder, 'files') }), local({ root: join(folder, 'moved') })]
  const move = cutOver({ from, to, engine, name: 'plugins' })
  try {
    await work(move)
  } finally {
    await move.close()
    await engine.close()
  }
}

/** What the process that is killed has not answered, nobody asks it again. */
async function failNow(): Promise<never> {
  throw new Error('not tried again here')
}

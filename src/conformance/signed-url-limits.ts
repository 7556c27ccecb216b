import { equal, fails, ok } from './assertions.ts'
import type { ConformanceCase } from './conformance-case.ts'
import type { Scope } from './scope.ts'
import { isRefused, SECRET, secretAt, serves, sign, withPathOf, withSegment } from './signed-url-checks.ts'

/** Lets `seconds` pass by the clock that URLs expire by, where that can be set. */
function advance(scope: Scope, seconds: number): boolean {
  const { advance: move } = scope.context
  if (move === undefined) return false
  move.call(scope.context, seconds * 1000, scope.files)
  return true
}

/** When and for what a URL stops working. */
export const SIGNED_URL_LIMIT_CASES: readonly ConformanceCase[] = [
  {
    id: 'signed-urls/lifetimes',
    title: 'lifetimes of zero, below, in fractions or beyond the most are refused; the longest is taken',
    covers: [101],
    needs: ['signedUrl:GET'],
    async run(scope) {
      const key = await secretAt(scope)
      const able = scope.capabilities.signedUrl
      const { maxExpiresIn: longest, defaultExpiresIn } = able === false ? {} : able
      const bad = [
        0,
        -1,
        1.5,
        Number.NaN,
        Number.POSITIVE_INFINITY,
        '60',
        ...(defaultExpiresIn === undefined ? [undefined] : []),
        ...(longest ? [longest + 1] : []),
      ]
      for (const expiresIn of bad as number[]) {
        await fails(
          () => scope.files.signedUrl(key, { expiresIn }),
          'invalid-argument',
          `expiresIn ${expiresIn}`,
        )
        await fails(
          () => scope.files.signedUrls([key], { expiresIn }),
          'invalid-argument',
          `expiresIn ${expiresIn}`,
        )
      }
      const lives = async (options: { expiresIn: number } | undefined, seconds: number) => {
        const { expiresAt } = await scope.files.signedUrl(key, options)
        const off = Math.abs(expiresAt.getTime() - (scope.context.now ?? Date.now)() - seconds * 1000)
        ok(off < 10_000, `expiresAt of ${seconds} s is ${off} ms off`)
      }
      for (const expiresIn of [1, longest ?? 604_800]) await lives({ expiresIn }, expiresIn)
      if (defaultExpiresIn !== undefined) await lives(undefined, defaultExpiresIn)
    },
  },
  {
    id: 'signed-urls/expire',
    title: 'a URL works before its time and is refused after it',
    covers: [102],
    needs: ['signedUrl:GET', 'fetch'],
    async run(scope) {
      const key = await secretAt(scope)
      if (scope.context.advance !== undefined) {
        const { url } = await sign(scope, key)
        advance(scope, 55)
        await serves(scope, url, SECRET, 'a URL of 60 s after 55 s')
        advance(scope, 7)
        await isRefused(await scope.fetch(url), 'a URL of 60 s after 62 s', SECRET)
        return
      }
      const alive = await sign(scope, key)
      const { url } = await sign(scope, key, { expiresIn: 1 })
      await waitForExpiry()
      await isRefused(await scope.fetch(url), 'a URL of 1 s after 3 s', SECRET)
      await serves(scope, alive.url, SECRET, 'a URL of 60 s after 3 s')
    },
  },
  {
    id: 'signed-urls/tampered',
    title: 'a URL with another key, folder, bucket or signature is refused; another host serves nothing else',
    covers: [103],
    needs: ['signedUrl:GET', 'fetch'],
    async run(scope) {
      const key = await secretAt(scope)
      const urlOf = async (name: string) => (await sign(scope, await secretAt(scope, name))).url
      const neighbour = await urlOf('folder/secres.txt')
      const cousin = await urlOf('foldes/secret.txt')
      const above = await urlOf('secret.txt')
      const { url } = await sign(scope, key)
      for (const [what, tampered] of [
        ['another name', withPathOf(url, neighbour)],
        ['another folder', withPathOf(url, cousin)],
        ['no folder', withPathOf(url, above)],
        ['a longer name', withSegment(url, 0, name => `${name}.bak`)],
        ['a folder of another name', withSegment(url, 1, name => `${name}s`)],
        ['another prefix', withSegment(url, 2, name => `other-${name}`)],
      ] as const)
        await isRefused(await scope.fetch(tampered), `a URL with ${what}`, SECRET)
      for (const [name, value] of new URL(url).searchParams) {
        if (value.length < 20) continue
        const flipped = new URL(url)
        const middle = value.length >> 1
        flipped.searchParams.set(
          name,
          value.slice(0, middle) + (value[middle] === 'a' ? 'b' : 'a') + value.slice(middle + 1),
        )
        await isRefused(await scope.fetch(flipped.href), `a URL with another '${name}'`, SECRET)
      }
      await onAnotherHost(scope, url)
      await serves(scope, url, SECRET, 'the URL as it was signed')
    },
  },
  {
    id: 'signed-urls/die-with-the-object',
    title: 'after a delete or a move a URL answers 404, after an overwrite it never serves the old bytes',
    covers: [93, 105],
    needs: ['writable', 'signedUrl:GET', 'fetch'],
    async run(scope) {
      const { files } = scope
      const [deleted, moved, replaced] = [
        await secretAt(scope, '1'),
        await secretAt(scope, '2'),
        await secretAt(scope, '3'),
      ]
      const urls = await Promise.all(
        [deleted, moved, replaced].map(async key => (await sign(scope, key)).url),
      )
      for (const url of urls) await serves(scope, url, SECRET, 'a URL before the change')
      await files.delete(deleted)
      await files.move(moved, scope.key('elsewhere'))
      await files.upload(replaced, 'new content')
      for (const [n, what] of ['delete', 'move'].entries()) {
        const response = await scope.fetch(urls[n]!)
        await isRefused(response.clone(), `a URL after the ${what}`, SECRET)
        // Supabase answers 400 and tells the real status in the body.
        const real =
          response.status === 400
            ? ((await response.json()) as { statusCode?: string }).statusCode
            : response.status
        equal(Number(real), 404, `status after the ${what}`)
      }
      const response = await scope.fetch(urls[2]!)
      ok(!(await response.text()).includes(SECRET), 'a URL serves the old bytes after the overwrite')
    },
  },
  {
    id: 'signed-urls/asked-again',
    title: 'a URL that is asked for again, also half its life later, still works',
    covers: [105],
    needs: ['signedUrl:GET', 'fetch'],
    async run(scope) {
      const key = await secretAt(scope)
      for (let n = 0; n < 3; n++) {
        const { url, expiresAt } = await sign(scope, key)
        const left = expiresAt.getTime() - (scope.context.now ?? Date.now)()
        ok(left > 0, `the URL that was handed out died ${-left} ms ago`)
        await serves(scope, url, SECRET, 'a URL asked for again')
        if (!advance(scope, 29)) continue
        await serves(scope, url, SECRET, 'the URL 29 s later')
      }
    },
  },
]

/** Where the server has another name on this machine, that must serve the same object or nothing. */
async function onAnotherHost(scope: Scope, url: string): Promise<void> {
  const other = new URL(url)
  if (other.hostname !== '127.0.0.1') return
  other.hostname = 'localhost'
  const response = await scope.fetch(other.href).catch(() => undefined)
  if (response === undefined || response.status >= 400) return
  equal(await response.text(), SECRET, 'what the URL serves on another host')
}

/** The one wait of the kit: for servers whose clock can't be set. Two seconds more than the URL's life at most. */
function waitForExpiry(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, 2500))
}

import { compareKeys } from '../core/keys.ts'
import { equal, fails, ok } from './assertions.ts'
import { atOnce } from './bodies.ts'
import type { Scope } from './scope.ts'

/**
 * Stores an object under each name that the provider declares to hold and finds each again, under exactly its name,
 * by every method; what it declares not to hold must be refused everywhere.
 */
export async function keepsKeys(scope: Scope, names: readonly string[]): Promise<void> {
  const { files } = scope
  const held = names.filter(name => scope.holds(scope.key(name)))
  for (const name of names) if (!held.includes(name)) await refusesKey(scope, scope.key(name))
  await atOnce(held, async name => {
    const info = await scope.put(scope.key(name), `content of ${name}`)
    equal(info.key, scope.key(name), 'key that upload returns')
  })
  equal(await scope.names(), [...held].sort(compareKeys), 'keys listed')
  await atOnce(held, async name => {
    const key = scope.key(name)
    await scope.holdsBytes(key, `content of ${name}`)
    equal((await files.info(key)).key, key, 'key that info returns')
  })
  if (!files.capabilities.writable) return
  await atOnce(held, async (name, index) => {
    const copy = scope.key(`copies/${index}`)
    await files.copy(scope.key(name), copy)
    await scope.holdsBytes(copy, `content of ${name}`)
    await files.move(copy, scope.key(`back/${name}`))
    await scope.holdsBytes(scope.key(`back/${name}`), `content of ${name}`)
  })
  const results = await files.deleteMany(held.map(name => scope.key(name)))
  for (const result of results) ok(result.status !== 'error', `deleting ${JSON.stringify(result.key)} fails`)
  equal(await scope.names(), held.map(name => `back/${name}`).sort(compareKeys), 'keys after deleting')
}

/** Asserts that every method refuses `key` as `invalid-key`, and that nothing is written, moved or removed. */
export async function refusesKey(scope: Scope, key: string): Promise<void> {
  const { files, capabilities } = scope
  const good = scope.key('good.txt')
  await scope.put(good, 'good')
  const before = await scope.names()
  const shown = JSON.stringify(key)
  const calls: [string, boolean, () => unknown][] = [
    ['upload', capabilities.writable, () => files.upload(key, 'bad')],
    ['download', true, () => files.download(key)],
    ['info', true, () => files.info(key)],
    ['exists', true, () => files.exists(key)],
    ['copy from', capabilities.writable, () => files.copy(key, scope.key('copied.txt'))],
    ['copy to', capabilities.writable, () => files.copy(good, key)],
    ['move from', capabilities.writable, () => files.move(key, scope.key('moved.txt'))],
    ['move to', capabilities.writable, () => files.move(good, key)],
    ['delete', capabilities.writable, () => files.delete(key)],
    [
      'abortUpload',
      capabilities.writable && capabilities.unfinishedUploads,
      () => files.abortUpload(key, 'an-upload'),
    ],
    ['signedUrl', capabilities.signedUrl !== false, () => files.signedUrl(key, { expiresIn: 60 })],
    [
      'signedUpload',
      capabilities.signedUpload !== false && capabilities.writable,
      () => signUpload(scope, key),
    ],
    ['publicUrl', capabilities.publicUrl, () => files.publicUrl(key)],
  ]
  for (const [method, able, call] of calls)
    await fails(call, able ? 'invalid-key' : ['invalid-key', 'unsupported'], `${method} ${shown}`)
  const [info, other] = await files.infoMany([key, good])
  ok(info !== undefined && !info.ok && info.error.code === 'invalid-key', `infoMany takes ${shown}`)
  ok(other?.ok, `infoMany fails for ${JSON.stringify(good)} beside ${shown}`)
  if (capabilities.writable) {
    const [deleted] = await files.deleteMany([key])
    ok(deleted?.status === 'error' && deleted.error.code === 'invalid-key', `deleteMany takes ${shown}`)
  }
  if (capabilities.signedUrl !== false) {
    const [signed] = await files.signedUrls([key], { expiresIn: 60 })
    ok(signed !== undefined && !signed.ok && signed.error.code === 'invalid-key', `signedUrls takes ${shown}`)
  }
  equal(await scope.names(), before, `keys after ${shown} was refused`)
  await scope.remove(good)
}

function signUpload(scope: Scope, key: string) {
  const able = scope.capabilities.signedUpload
  return scope.files.signedUpload(key, able !== false && able.choosesExpiry ? { expiresIn: 60 } : {})
}

import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const LEAST_SECRET = 16

/** Each part by a variable of its own; without any, everything is on this machine. See the table in README.md. */
export async function readSettings(folder, env = process.env) {
  const root = resolve(folder)
  await mkdir(root, { recursive: true })
  return {
    folder: root,
    port: Number(env.PORT || '3000'),
    host: env.HOST || '127.0.0.1',
    publicUrl: env.PUBLIC_URL?.replace(/\/+$/, '') || undefined,
    storeUrl: env.STOWAGE_URL || pathToFileURL(join(root, 'files')).href,
    databaseUrl: env.DATABASE_URL || `sqlite:${join(root, 'app.db')}`,
    redisUrl: env.REDIS_URL || undefined,
    imgproxyUrl: env.IMGPROXY_URL || undefined,
    imgproxySource: env.IMGPROXY_SOURCE || undefined,
    secret: await secretOf(root, env),
    env,
  }
}

/**
 * One secret, from which all keys are derived: sessions, tickets, URLs of local files, signatures of the development
 * handler. Made once and kept, so that sessions and URLs outlive the process.
 */
async function secretOf(root, { APP_SECRET }) {
  if (APP_SECRET) {
    if (APP_SECRET.length < LEAST_SECRET)
      throw new Error(`APP_SECRET must have ${LEAST_SECRET} characters or more`)
    return APP_SECRET
  }
  const path = join(root, 'secret')
  const made = randomBytes(32).toString('base64url')
  try {
    await writeFile(path, made, { flag: 'wx', mode: 0o600 })
    return made
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    return readFile(path, 'utf8')
  }
}

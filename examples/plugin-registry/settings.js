import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const LEAST_SECRET = 16

/** Each part by a variable of its own; without any, everything is in the folder. See the table in README.md. */
export async function readSettings(folder, env = process.env) {
  const root = resolve(folder)
  await mkdir(root, { recursive: true })
  return {
    port: Number(env.PORT || '3000'),
    host: env.HOST || '127.0.0.1',
    publicUrl: env.PUBLIC_URL?.replace(/\/+$/, '') || undefined,
    storeUrl: env.STOWAGE_URL || pathToFileURL(join(root, 'files')).href,
    moveToUrl: env.MOVE_TO_URL || undefined,
    databaseUrl: env.DATABASE_URL || `sqlite:${join(root, 'registry.db')}`,
    /** Who may publish. */
    token: await secretOf(root, 'PUBLISH_TOKEN', 'publish-token', env),
    /** Signs tickets and the URLs of local files; the same in every process, so that they outlive one. */
    secret: await secretOf(root, 'APP_SECRET', 'secret', env),
    env,
  }
}

/** Given by the environment, or made once and kept in the folder, readable by nobody else. */
async function secretOf(root, variable, file, env) {
  const given = env[variable]
  if (given) {
    if (given.length < LEAST_SECRET)
      throw new Error(`${variable} must have ${LEAST_SECRET} characters or more`)
    return given
  }
  const path = join(root, file)
  const made = randomBytes(32).toString('base64url')
  try {
    await writeFile(path, made, { flag: 'wx', mode: 0o600 })
    return made
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    return readFile(path, 'utf8')
  }
}

import { randomBytes } from 'node:crypto'
import type { CapabilitySwitch } from '../../core/capabilities.ts'
import { StorageError } from '../../core/errors.ts'
import type { S3Connection } from './connection.ts'
import { S3Failure } from './errors.ts'
import type { S3Settings } from './options.ts'
import { removeObject } from './remove.ts'
import type { SdkCalls } from './sdk-calls.ts'

/** The conditions that only the endpoint can tell about, grouped by what has to be tried together. */
const GROUPS = {
  write: ['createOnly', 'conditionalReplace'],
  copy: ['conditionalCopySource', 'createOnlyCopy'],
  delete: ['conditionalDelete'],
} as const satisfies Record<string, readonly CapabilitySwitch[]>

type Answers = Partial<Record<CapabilitySwitch, boolean>>

/** An etag that no object has. */
const WRONG_ETAG = '00000000000000000000000000000000'

/**
 * Finds out by trying, on objects of its own, which conditions the endpoint keeps: some servers answer 200 and
 * overwrite. Each group is tried once; those who ask meanwhile wait for the same answer.
 */
export class Probe {
  readonly #connection: S3Connection
  readonly #sdk: SdkCalls
  readonly #settings: S3Settings
  readonly #underWay = new Map<string, Promise<Answers>>()

  constructor(connection: S3Connection, sdk: SdkCalls, settings: S3Settings) {
    this.#connection = connection
    this.#sdk = sdk
    this.#settings = settings
  }

  /** What the group of `capability` found. A failure is not kept: the next who asks tries again. */
  ask(capability: CapabilitySwitch): Promise<Answers> {
    const group = (Object.keys(GROUPS) as (keyof typeof GROUPS)[]).find(name =>
      (GROUPS[name] as readonly string[]).includes(capability),
    )
    if (group === undefined) return Promise.resolve({ [capability]: false })
    let answers = this.#underWay.get(group)
    if (answers === undefined) {
      answers = this.#try(group).catch(error => {
        this.#underWay.delete(group)
        throw error
      })
      this.#underWay.set(group, answers)
    }
    return answers
  }

  async #try(group: keyof typeof GROUPS): Promise<Answers> {
    const key = `${this.#settings.probePrefix}.stowage-probe-${randomBytes(12).toString('hex')}`
    const written = new Set<string>()
    try {
      if (group === 'write') return await this.#tryWrite(key, written)
      await this.#put(key, {}, written)
      if (group === 'copy') return await this.#tryCopy(key, written)
      return await this.#tryDelete(key)
    } finally {
      for (const name of written) await this.#remove(name)
    }
  }

  async #tryWrite(key: string, written: Set<string>): Promise<Answers> {
    // 404: `If-Match` where nothing is stored.
    const conditionalReplace = await refused(
      this.#put(key, { 'if-match': `"${WRONG_ETAG}"` }, written),
      412,
      404,
    )
    if (conditionalReplace) await this.#put(key, {}, written)
    const createOnly = await refused(this.#put(key, { 'if-none-match': '*' }, written), 412)
    return { conditionalReplace, createOnly }
  }

  async #tryCopy(key: string, written: Set<string>): Promise<Answers> {
    const to = `${key}-copy`
    const copy = (etag: string | undefined, conditions: { IfNoneMatch?: string }) => {
      written.add(to)
      return this.#sdk.copy({ key, etag }, { Key: to, ...conditions }, undefined)
    }
    const conditionalCopySource = await refused(copy(WRONG_ETAG, {}), 412)
    if (conditionalCopySource) await copy(undefined, {})
    return {
      conditionalCopySource,
      createOnlyCopy: await refused(copy(undefined, { IfNoneMatch: '*' }), 412),
    }
  }

  async #tryDelete(key: string): Promise<Answers> {
    const remove = this.#connection.send({
      method: 'DELETE',
      key,
      headers: { 'if-match': `"${WRONG_ETAG}"` },
    })
    return { conditionalDelete: await refused(remove, 412) }
  }

  async #put(key: string, headers: Record<string, string>, written: Set<string>): Promise<void> {
    const body = Buffer.from('stowage asks which conditions this server keeps')
    const answer = await this.#connection.send({
      method: 'PUT',
      key,
      headers: { ...headers, 'content-type': 'text/plain', 'content-length': String(body.length) },
      body,
    })
    written.add(key)
    await answer.body.bytes()
  }

  async #remove(key: string): Promise<void> {
    try {
      const request = { key, ifMatch: undefined, signal: undefined }
      await removeObject(this.#connection, request)
    } catch (error) {
      if (error instanceof StorageError || !(error instanceof S3Failure)) throw error
    }
  }
}

/** Whether a request with a condition that does not hold was turned down, with one of `statuses`, as it has to be. */
async function refused(request: Promise<unknown>, ...statuses: readonly number[]): Promise<boolean> {
  try {
    await request
    return false
  } catch (error) {
    const status =
      error instanceof S3Failure
        ? error.status
        : (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode
    if (status !== undefined && statuses.includes(status)) return true
    throw error
  }
}

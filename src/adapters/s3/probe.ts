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
 * overwrite. Each group is tried once; those who ask meanwhile wait for the same answer, so that no caller's signal
 * ends it: each of its requests has a time limit instead.
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
        throw (error as Error).name === 'TimeoutError'
          ? new StorageError('timeout', 'the server did not answer the probe in time', { cause: error })
          : error
      })
      this.#underWay.set(group, answers)
    }
    return answers
  }

  async #try(group: keyof typeof GROUPS): Promise<Answers> {
    const key = `${this.#settings.probePrefix}.stowage-probe-${randomBytes(12).toString('hex')}`
    // Opened before the time of the first request runs.
    await this.#connection.link()
    // Remembered before they are sent: what is stored by a request whose answer gets lost is removed, too.
    const written = new Set<string>()
    let answers: Answers
    try {
      answers = await this.#tryWith(group, key, written)
    } catch (error) {
      // What the probe failed for says more than what its clean-up fails for.
      await this.#removeAll(written).catch(() => {})
      throw error
    }
    await this.#removeAll(written)
    return answers
  }

  async #tryWith(group: keyof typeof GROUPS, key: string, written: Set<string>): Promise<Answers> {
    if (group === 'write') return this.#tryWrite(key, written)
    await this.#put(key, {}, written)
    return group === 'copy' ? this.#tryCopy(key, written) : this.#tryDelete(key)
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
      return this.#sdk.copy({ key, etag }, { Key: to, ...conditions }, this.#timeLimit())
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
      signal: this.#timeLimit(),
    })
    return { conditionalDelete: await refused(remove, 412) }
  }

  async #put(key: string, headers: Record<string, string>, written: Set<string>): Promise<void> {
    const body = Buffer.from('stowage asks which conditions this server keeps')
    written.add(key)
    const answer = await this.#connection.send({
      method: 'PUT',
      key,
      headers: { ...headers, 'content-type': 'text/plain', 'content-length': String(body.length) },
      body,
      signal: this.#timeLimit(),
    })
    await answer.body.bytes()
  }

  /** Tries each, whatever comes of the others. */
  async #removeAll(keys: ReadonlySet<string>): Promise<void> {
    const failures: unknown[] = []
    for (const key of keys) {
      try {
        await removeObject(this.#connection, { key, signal: this.#timeLimit() })
      } catch (error) {
        // Where the removal is denied the object stays; what was found out holds all the same.
        if (!(error instanceof S3Failure)) failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }

  /** A dispatcher of the user's may have no limit, and one of ours only limits silence. */
  #timeLimit(): AbortSignal {
    return AbortSignal.timeout(this.#settings.requestTimeoutMs)
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

import { deadline, endedError } from '../core/deadline.ts'
import { ERROR_CODES, type ErrorCode, StorageError } from '../core/errors.ts'
import { assertFactoryOptions } from '../core/factory-options.ts'
import type { OperationName, OperationOptions } from '../core/options.ts'
import type { Call } from './forward.ts'
import { numberSetting, refusal } from './layer.ts'
import { seededRandom } from './seeded-random.ts'

const FAULT_KINDS = ['before', 'after', 'lost-answer', 'cut', 'hang'] as const
export type FaultKind = (typeof FAULT_KINDS)[number]

/** Operations that have a middle. */
const CUTTABLE: ReadonlySet<OperationName> = new Set([
  'upload',
  'uploadResumable',
  'download',
  'list',
  'move',
  'infoMany',
  'deleteMany',
  'signedUrls',
])

/** When to fail, and how. The first rule that applies decides. */
export interface FaultRule {
  kind: FaultKind
  /** Default: all that can have this kind of fault. */
  operations?: readonly OperationName[]
  /** Only calls with this key, or a key that matches. Calls for many and lists have none. */
  key?: string | RegExp
  /** Share of the calls, 0 to 1. Default: 1. */
  rate?: number
  /** Calls that are let through first. Default: 0. */
  after?: number
  /** Faults at most. Default: no limit. */
  times?: number
  /** Default: `timeout` for `lost-answer`, else `unavailable`. */
  code?: ErrorCode
  /** Put on the error, as a store's Retry-After. */
  retryAfterMs?: number
}

export interface FaultOptions {
  /** A whole number. The same seed and the same calls, in the same order, give the same faults. */
  seed: number
  /** Share of all calls, 0 to 1, that fail in a random way (never by `hang`). Rules go first. Default: 0. */
  rate?: number
  rules?: readonly FaultRule[]
}

/** A fault as it was injected. */
export interface InjectedFault {
  readonly operation: OperationName
  readonly kind: FaultKind
  readonly key?: string
  /** Number of the call among all, from 0. */
  readonly call: number
}

/** One fault that is about to happen. */
export interface Fault {
  readonly kind: FaultKind
  /** A number from 0 to 1: where to cut. */
  readonly at: number
  error(key?: string): StorageError
  /** Ends with the caller's signal or time, and else never. */
  hang(options: OperationOptions | undefined): Promise<never>
}

/** Decides, call by call, what fails; and remembers it. */
export class FaultPlan {
  enabled = true
  readonly log: InjectedFault[] = []
  readonly #random: () => number
  readonly #rate: number
  readonly #rules: { readonly rule: FaultRule; seen: number; done: number }[]
  readonly #provider: string
  #calls = 0

  constructor(options: FaultOptions, provider: string) {
    assertFactoryOptions('faults', options, { seed: 'number', rate: 'number', rules: 'array' })
    if (!Number.isSafeInteger(options.seed)) throw refusal('faults', 'seed must be a whole number')
    this.#random = seededRandom(options.seed)
    this.#rate = share('rate', options.rate ?? 0)
    this.#rules = (options.rules ?? []).map(rule => ({ rule: checkedRule(rule), seen: 0, done: 0 }))
    this.#provider = provider
  }

  /** The fault of this call, if it is to have one. */
  next({ operation, key }: Call<unknown>): Fault | undefined {
    if (!this.enabled) return undefined
    const call = this.#calls++
    const rule = this.#ruleFor(operation, key)
    const kind = rule?.kind ?? this.#anyKind(operation)
    if (kind === undefined) return undefined
    this.log.push({ operation, kind, call, ...(key === undefined ? {} : { key }) })
    const provider = this.#provider
    const code = rule?.code ?? (kind === 'lost-answer' ? 'timeout' : 'unavailable')
    return {
      kind,
      at: this.#random(),
      error: (failedKey = key) =>
        new StorageError(code, `${operation}: injected fault (${kind})`, {
          operation,
          provider,
          key: failedKey,
          retryAfterMs: rule?.retryAfterMs,
        }),
      hang: options => hang(options, operation, provider, key),
    }
  }

  #ruleFor(operation: OperationName, key: string | undefined): FaultRule | undefined {
    for (const state of this.#rules) {
      const { rule } = state
      if (!applies(rule, operation, key)) continue
      if (state.seen++ < (rule.after ?? 0) || state.done >= (rule.times ?? Infinity)) continue
      if (rule.rate !== undefined && this.#random() >= rule.rate) continue
      state.done++
      return rule
    }
    return undefined
  }

  #anyKind(operation: OperationName): FaultKind | undefined {
    if (this.#rate === 0 || this.#random() >= this.#rate) return undefined
    const kinds = FAULT_KINDS.filter(kind => kind !== 'hang' && (kind !== 'cut' || CUTTABLE.has(operation)))
    return kinds[Math.floor(this.#random() * kinds.length)]
  }
}

function applies(rule: FaultRule, operation: OperationName, key: string | undefined): boolean {
  if (rule.operations !== undefined && !rule.operations.includes(operation)) return false
  if (rule.kind === 'cut' && !CUTTABLE.has(operation)) return false
  if (rule.key === undefined) return true
  return key !== undefined && (typeof rule.key === 'string' ? rule.key === key : key.search(rule.key) >= 0)
}

function checkedRule(rule: FaultRule): FaultRule {
  assertFactoryOptions('faults', rule, {
    kind: 'string',
    operations: 'array',
    key: 'string or object',
    rate: 'number',
    after: 'number',
    times: 'number',
    code: 'string',
    retryAfterMs: 'number',
  })
  if (typeof rule.key === 'object' && !(rule.key instanceof RegExp))
    throw refusal('faults', 'key must be a string or a RegExp')
  if (!FAULT_KINDS.includes(rule.kind))
    throw refusal('faults', `kind must be one of ${FAULT_KINDS.join(', ')}`)
  if (rule.code !== undefined && !ERROR_CODES.includes(rule.code))
    throw refusal('faults', `code must be one of ${ERROR_CODES.join(', ')}`)
  const whole = rule.kind === 'cut' ? rule.operations?.find(name => !CUTTABLE.has(name)) : undefined
  if (whole !== undefined) throw refusal('faults', `${whole} can't be cut: it has no middle`)
  if (rule.rate !== undefined) share('rate', rule.rate)
  for (const name of ['after', 'times', 'retryAfterMs'] as const) {
    if (rule[name] !== undefined) numberSetting('faults', name, rule[name], { least: 0 })
  }
  return rule
}

function share(name: string, value: number): number {
  if (numberSetting('faults', name, value, { least: 0 }) <= 1) return value
  throw refusal('faults', `${name} must be a number from 0 to 1`)
}

function hang(
  options: OperationOptions | undefined,
  operation: OperationName,
  provider: string,
  key: string | undefined,
): Promise<never> {
  return new Promise((_, reject) => {
    const ends = deadline(options, operation, provider)
    const { signal } = ends
    const onAbort = () => {
      ends.clear()
      reject(endedError(signal!, operation, provider, key))
    }
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

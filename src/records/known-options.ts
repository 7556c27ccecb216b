import { assertFactoryOptions, type OptionKinds } from '../core/factory-options.ts'
import type { ObjectAttributes, OperationOptions } from '../core/options.ts'
import type { JoinOptions } from './own-options.ts'

export const JOIN_KINDS = {
  also: 'array',
  transaction: 'object or function',
} as const satisfies OptionKinds<JoinOptions>

export const ATTRIBUTE_KINDS = {
  contentType: 'string',
  cacheControl: 'string',
  contentDisposition: 'string',
  contentEncoding: 'string',
  contentLanguage: 'string',
  metadata: 'object',
  storageClass: 'string',
} as const satisfies OptionKinds<ObjectAttributes>

/**
 * Checks the options of a method that the contract does not have: a misspelt one is refused, not dropped. `signal` and
 * `timeoutMs` are known to all. @throws `invalid-argument`
 */
export function assertKnownOptions<Options extends OperationOptions>(
  method: string,
  options: Options,
  kinds: OptionKinds<Omit<Options, keyof OperationOptions>>,
): void {
  const all = { ...kinds, signal: 'object', timeoutMs: 'number' } as unknown as OptionKinds<Options>
  assertFactoryOptions(method, options, all)
}

import { StorageError } from './errors.ts'

/** Throws `invalid-argument` where what `factory` was given is no storage provider. */
export function assertProvider(factory: string, provider: unknown): void {
  const { name, upload, download } = (provider ?? {}) as Record<string, unknown>
  if (typeof name === 'string' && typeof upload === 'function' && typeof download === 'function') return
  const advice = provider instanceof Promise ? 'await the promise first' : 'such as memory() returns'
  throw new StorageError('invalid-argument', `${factory}: the first argument must be a provider; ${advice}`)
}

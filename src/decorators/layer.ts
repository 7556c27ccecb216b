import type { Capabilities } from '../core/capabilities.ts'
import { StorageError } from '../core/errors.ts'
import type { StorageProvider } from '../core/provider.ts'
import { forward } from './forward.ts'

export type LayerName =
  | 'retry'
  | 'timeout'
  | 'limit'
  | 'observe'
  | 'prefix'
  | 'readOnly'
  | 'faults'
  | 'mirror'

/**
 * `inner` with one more layer: its methods replaced by `changes`, its name in front of `capabilities.layers`, its
 * capabilities changed by `change`. All stay live: what a probe finds out below is seen here.
 *
 * @throws `invalid-argument` where the layer must not stand around those below: see docs/decorators.md
 */
export function addLayer(
  inner: StorageProvider,
  name: LayerName,
  changes: Partial<StorageProvider>,
  change: (capabilities: Capabilities) => Capabilities = same => same,
): StorageProvider {
  assertOrder(name, inner.capabilities.layers)
  const ask = changes.probe ?? (options => inner.probe(options))
  const outer = forward(inner, {
    ...changes,
    get capabilities() {
      return { ...change(inner.capabilities), layers: [name, ...inner.capabilities.layers] }
    },
    async probe(options) {
      await ask(options)
      return outer.capabilities
    },
  })
  return outer
}

/** Every refusal of an order, with its reason. */
function assertOrder(name: LayerName, below: readonly string[]): void {
  if (name === 'retry' && below.includes('retry'))
    throw refusal('retry', 'there is a retry below already: their tries would multiply; keep one')
  if (name !== 'limit') return
  if (below.includes('retry'))
    throw refusal(
      'limit',
      'goes inside retry, as in retry(limit(files)): outside it, what only waits for its next try would hold a permit',
    )
  const next = below.indexOf('limit')
  if (next >= 0 && !below.slice(0, next).includes('prefix'))
    throw refusal('limit', 'there is a limit below already; two make sense with a prefix between them only')
}

/** An error of a decorator's construction. */
export function refusal(layer: LayerName, problem: string): StorageError {
  return new StorageError('invalid-argument', `${layer}: ${problem}`)
}

/** `value`, checked to be a number from `least`, and a whole one where `whole`. */
export function numberSetting(
  layer: LayerName,
  name: string,
  value: unknown,
  { least, whole = false }: { least: number; whole?: boolean },
): number {
  if (typeof value === 'number' && value >= least && (!whole || Number.isInteger(value))) return value
  throw refusal(layer, `${name} must be a ${whole ? 'whole ' : ''}number of at least ${least}`)
}

import type { StorageProvider } from '../../core/provider.ts'
import { forward } from '../../decorators/forward.ts'

/**
 * `inner` with some members replaced, and with all that it has beyond the contract: its own methods are called on it,
 * its own values are read from it each time.
 */
export function forwardAll<P extends StorageProvider>(inner: P, changes: Partial<P>): P {
  const outer = forward(inner)
  for (const [name, { get, value }] of membersOf(inner)) {
    if (name in outer) continue
    const isMethod = get === undefined && typeof value === 'function'
    const read = () => inner[name as keyof P] as unknown
    Object.defineProperty(outer, name, {
      configurable: true,
      enumerable: true,
      ...(isMethod
        ? { value: (...given: unknown[]) => (read() as (...given: unknown[]) => unknown).apply(inner, given) }
        : { get: read }),
    })
  }
  return Object.defineProperties(outer, Object.getOwnPropertyDescriptors(changes)) as P
}

/** Of a class's instance those of its class, too. */
function membersOf(inner: object): Map<string | symbol, PropertyDescriptor> {
  const members = new Map<string | symbol, PropertyDescriptor>()
  for (
    let owner = inner;
    owner !== null && owner !== Object.prototype;
    owner = Object.getPrototypeOf(owner) as object
  )
    for (const name of Reflect.ownKeys(owner))
      if (name !== 'constructor' && !members.has(name))
        members.set(name, Object.getOwnPropertyDescriptor(owner, name)!)
  return members
}

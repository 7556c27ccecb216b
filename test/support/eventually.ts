import { vi } from 'vitest'

/**
 * Waits until `check` throws no more, for as long as a machine under load or a slow disk may take. Vitest's own limit,
 * one second, is a guess about both; what never comes true fails all the same.
 */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 30_000, interval: 20 })
}

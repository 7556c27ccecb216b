import { locationOf } from '../../core/location.ts'

const KIND = 'cut-over'

/** The location of the provider that is two. The same in all phases: a key names the same object throughout. */
export function cutOverLocation(from: string, to: string): string {
  return locationOf(KIND, [from, to])
}

export function isCutOverLocation(location: string): boolean {
  return location.startsWith(`${KIND}://`)
}

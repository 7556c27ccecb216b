import type { StorageError } from '../core/errors.ts'

/** A part of a URL as it was meant. @throws what `refuse` makes of a text that is not percent-encoded */
export function decodePart(text: string, refuse: (problem: string) => StorageError): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw refuse('a % in a name must be written %25')
  }
}

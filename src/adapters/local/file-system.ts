/** What file systems do differently. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { ANY_KEY, type KeyRules } from '../../core/keys.ts'
import { RESERVED } from './key-path.ts'

/**
 * What keys a root can hold: any, and on the usual file systems of macOS and Windows names that differ by case are
 * one. Where the root has been written to, its own folder is asked for in capitals; nothing is written.
 */
export function keyRules(root: string, platform: NodeJS.Platform = process.platform): KeyRules {
  const folds = platform === 'darwin' || platform === 'win32'
  return {
    ...ANY_KEY,
    caseSensitive: isCaseSensitive(root) ?? !folds,
    // APFS and HFS+ find a name by either form; NTFS and Linux keep them apart.
    normalizationSensitive: platform !== 'darwin',
  }
}

/** The form of a key that all keys share which name the same file. */
export function foldedKey({ caseSensitive, normalizationSensitive }: KeyRules): (key: string) => string {
  return key => {
    const normal = normalizationSensitive ? key : key.normalize('NFC')
    return caseSensitive ? normal : normal.toLowerCase()
  }
}

/** What `link` answers on file systems that have no hard links (FAT, exFAT, some over a network). */
export function lacksHardLinks(error: unknown): boolean {
  return ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes((error as NodeJS.ErrnoException).code ?? '')
}

function isCaseSensitive(root: string): boolean | undefined {
  const inode = (name: string) => statSync(join(root, name), { bigint: true, throwIfNoEntry: false })?.ino
  try {
    const own = inode(RESERVED)
    return own === undefined ? undefined : inode(RESERVED.toUpperCase()) !== own
  } catch {
    return undefined
  }
}

import { StorageError } from './errors.ts'

/**
 * Loads an optional peer when it is first needed. @throws `unsupported` with the one line that installs what is
 * missing
 */
export async function loadPeer<Module>(
  load: () => Promise<Module>,
  neededBy: string,
  install: string,
): Promise<Module> {
  try {
    return await load()
  } catch (cause) {
    if (!isMissing(cause)) throw cause
    throw new StorageError(
      'unsupported',
      `${neededBy} needs packages that are not installed; run: npm install ${install}`,
      { cause },
    )
  }
}

/** Node says so by a code; Vite puts a module that throws in the place of an optional peer that is not there. */
function isMissing(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown }
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') return true
  return typeof message === 'string' && /^Could not resolve "[^"]+" imported by "[^"]+"/.test(message)
}

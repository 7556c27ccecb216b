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
    const code = (cause as { code?: unknown } | null)?.code
    if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') throw cause
    throw new StorageError(
      'unsupported',
      `${neededBy} needs packages that are not installed; run: npm install ${install}`,
      { cause },
    )
  }
}

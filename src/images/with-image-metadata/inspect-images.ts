import type { Download } from '../../core/download.ts'
import { StorageError } from '../../core/errors.ts'
import { normalizeMetadata } from '../../core/metadata.ts'
import type { ObjectAttributes } from '../../core/options.ts'
import { IMAGE_METADATA_NAMES } from '../image-metadata.ts'
import { describeOrTell, letOthersPass } from './describe-or-tell.ts'
import type { ImageMetadataSettings } from './image-metadata-options.ts'
import { StreamedBody } from './streamed-body.ts'

/** What `finalize` of records takes, as far as images are concerned. */
export interface FinalizeAttributes extends ObjectAttributes {
  inspect?: (sent: Download, file: InspectedFile) => Promise<ObjectAttributes>
}

interface InspectedFile {
  readonly key: string
  readonly signal: AbortSignal | undefined
}

/** The options of `finalize` with a look at what was sent. What a browser says of the image does not count. */
export function inspectImages(
  operation: 'finalize' | 'prepareFinalize',
  provider: string,
  settings: ImageMetadataSettings,
  given: FinalizeAttributes = {},
): FinalizeAttributes {
  // A wrong argument is refused below, as every wrong argument is.
  if (typeof given !== 'object' || given === null) return given
  if (given.inspect !== undefined)
    throw new StorageError(
      'invalid-argument',
      `${operation}: withImageMetadata inspects what was sent itself; inspect it in the provider below`,
      { operation, provider },
    )
  const backends = normalizeMetadata(given.metadata, operation, provider)
  return { ...given, inspect }

  async function inspect(sent: Download, { key, signal }: InspectedFile): Promise<ObjectAttributes> {
    const call = { operation, key, provider, signal }
    const theirs = withoutImageNames(sent.info.metadata)
    const streamed = await StreamedBody.open(sent, call)
    try {
      if (streamed?.type === undefined) {
        letOthersPass(call, settings)
        return { metadata: theirs }
      }
      const spooling = { size: sent.info.size, folder: settings.temporaryFolder, signal }
      const metadata = await describeOrTell(call, settings, { ...theirs, ...backends }, () =>
        streamed.describe(settings.describing, spooling),
      )
      return { metadata: metadata ?? theirs }
    } finally {
      await streamed?.close()
    }
  }
}

function withoutImageNames(metadata: Readonly<Record<string, string>> = {}): Record<string, string> {
  const names: readonly string[] = IMAGE_METADATA_NAMES
  const lowered = Object.entries(metadata).map(([name, value]) => [name.toLowerCase(), value] as const)
  return Object.fromEntries(lowered.filter(([name]) => !names.includes(name)))
}

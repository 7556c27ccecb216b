import type { Download } from '../core/download.ts'
import type { Attributes } from '../core/driver.ts'
import type { ObjectAttributes } from '../core/options.ts'
import type { ObjectInfo } from '../core/provider.ts'
import { checkedAttributes } from '../core/upload.ts'
import type { Job } from './journal-row.ts'
import type { RecordSet } from './record-set.ts'

/** A look at what a browser has sent, before it becomes a file. */
export interface InspectOptions {
  /**
   * Called with what was sent: reads as much of it as it needs, and returns attributes, which take the place of those
   * that the browser has sent and yield to those given beside this. What it throws ends `finalize`; what was sent stays.
   * The bytes that it sees are those that become the file: where others are sent meanwhile, it is `conflict`.
   */
  inspect?: (sent: Download, file: InspectedFile) => Promise<ObjectAttributes>
}

export interface InspectedFile {
  /** The key that the file gets; `sent.info` has the key that it was sent to. */
  readonly key: string
  readonly signal: AbortSignal | undefined
}

/**
 * What the caller's function makes of the bytes with the etag of `sent`; `undefined` where others are there by now. The
 * copy that follows has the same condition.
 */
export async function inspectSent(
  set: RecordSet,
  { key, physical }: Job,
  sent: ObjectInfo,
  { inspect, signal }: InspectOptions & { signal?: AbortSignal },
): Promise<Attributes | undefined> {
  if (inspect === undefined) return {}
  const download = await set.provider.download(physical, { signal })
  try {
    if (download.info.etag !== sent.etag) return undefined
    return givenAttributes(set, await inspect(download, { key, signal }))
  } finally {
    download.cancel()
  }
}

/** What the backend says of the file beside what the browser has sent, checked as an upload's attributes are. */
export function givenAttributes({ provider }: RecordSet, options: ObjectAttributes): Attributes {
  const { name, capabilities } = provider
  const store = { name, capabilities: { ...capabilities, metadata: true } }
  return checkedAttributes(store, options, 'finalize')
}

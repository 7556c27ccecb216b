import type { Capabilities } from '../../core/capabilities.ts'
import { ATTRIBUTES, type ObjectAttributes } from '../../core/options.ts'
import type { ObjectInfo } from '../../core/results.ts'
import type { MigrateOptions } from '../migrate-options.ts'

/** Attributes as the manifest keeps them: JSON, names sorted, those of metadata in lower case; equal texts for equal attributes. */
export function attributesText(attributes: ObjectAttributes): string {
  const kept: Record<string, unknown> = {}
  for (const name of [...ATTRIBUTES].sort()) {
    const value = attributes[name]
    if (value === undefined) continue
    if (name !== 'metadata') kept[name] = value
    else if (Object.keys(value).length > 0) kept[name] = sortedMetadata(value as Record<string, string>)
  }
  return JSON.stringify(kept)
}

function sortedMetadata(metadata: Readonly<Record<string, string>>): Record<string, string> {
  const names = Object.keys(metadata)
  const lower = new Map(names.map(name => [name.toLowerCase(), metadata[name]!]))
  return Object.fromEntries([...lower].sort(([one], [other]) => (one < other ? -1 : 1)))
}

export interface SentAttributes {
  /** What is handed to the destination: rewritten, and only what it keeps. */
  readonly attributes: ObjectAttributes
  /** Names of what it can't keep. */
  readonly lost: readonly (typeof ATTRIBUTES)[number][]
}

/** The attributes that an object gets at the destination. The storage class is not taken from the source: its names are a store's own. */
export function sentAttributes(
  info: ObjectInfo,
  { attributes: rewrite, storageClass }: Pick<MigrateOptions, 'attributes' | 'storageClass'>,
  capabilities: Capabilities,
): SentAttributes {
  const { storageClass: _, ...own } = info
  const wanted: ObjectAttributes = rewrite === undefined ? own : rewrite(info)
  const chosen = typeof storageClass === 'function' ? storageClass(info) : storageClass
  const attributes: Record<string, unknown> = {}
  const lost: (typeof ATTRIBUTES)[number][] = []
  for (const name of ATTRIBUTES) {
    const value = name === 'storageClass' ? (chosen ?? wanted.storageClass) : wanted[name]
    if (value === undefined || value === '') continue
    if (name === 'metadata' && Object.keys(value).length === 0) continue
    if (name === 'contentType' || capabilities[name]) attributes[name] = value
    else lost.push(name)
  }
  return { attributes: attributes as ObjectAttributes, lost }
}

/** Whether what is stored has these attributes. Others that it has are a store's own defaults. */
export function hasAttributes(stored: ObjectInfo, attributes: ObjectAttributes): boolean {
  const { storageClass: _, ...asked } = attributes
  const has: Record<string, unknown> = {}
  for (const name of ATTRIBUTES) if (asked[name as keyof typeof asked] !== undefined) has[name] = stored[name]
  return attributesText(has) === attributesText(asked)
}

import type { Capabilities } from '../core/capabilities.ts'
import type { KeyRules } from '../core/keys.ts'
import type { StorageProvider } from '../core/provider.ts'
import { MIRRORED } from './mirror-sync.ts'

/** What all can: keys that each of them can hold, and attributes that each of them keeps. All else is the primary's. */
export function commonCapabilities(
  capabilities: Capabilities,
  replicas: readonly StorageProvider[],
): Capabilities {
  const all = replicas.map(replica => replica.capabilities)
  const kept = MIRRORED.map(name => [name, capabilities[name] && all.every(one => one[name])])
  return {
    ...capabilities,
    ...Object.fromEntries(kept),
    keys: all.reduce((rules, { keys }) => narrower(rules, keys), capabilities.keys),
  }
}

function narrower(a: KeyRules, b: KeyRules): KeyRules {
  const allowed = both(a.allowed, b.allowed)
  return {
    maxBytes: Math.min(a.maxBytes, b.maxBytes),
    maxSegmentBytes: Math.min(a.maxSegmentBytes, b.maxSegmentBytes),
    emptySegments: a.emptySegments && b.emptySegments,
    fileAndFolder: a.fileAndFolder && b.fileAndFolder,
    caseSensitive: a.caseSensitive && b.caseSensitive,
    normalizationSensitive: a.normalizationSensitive && b.normalizationSensitive,
    ...(allowed === undefined ? {} : { allowed }),
  }
}

/** Both are tested against whole keys. */
function both(a: RegExp | undefined, b: RegExp | undefined): RegExp | undefined {
  if (a === undefined || b === undefined || a.source === b.source) return a ?? b
  return new RegExp(`(?=${a.source})(?:${b.source})`, [...new Set(a.flags + b.flags)].join(''))
}

import type { ObjectInfo } from '../../core/provider.ts'
import { isStaging } from './key-kinds.ts'
import type { PhaseRules } from './phase.ts'

/**
 * An object as it is told above. Etags and versions are one side's own: recorded, they would not hold on the other, so they are told only in
 * phases with one side. What lies in staging lies on one side only.
 */
export function infoOf<Info extends ObjectInfo>(info: Info, rules?: PhaseRules): Info {
  if (isStaging(info.key) || rules?.usesSecond === false) return info
  const { etag: _, versionId: __, ...rest } = info
  return rest as Info
}

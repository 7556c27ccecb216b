import type { ObjectInfo } from '../../core/provider.ts'
import { isStaging } from './key-kinds.ts'

/**
 * An object as it is told above. Etags and versions are one side's own: recorded, they would not hold on the other. What lies
 * in staging lies on one side only.
 */
export function infoOf<Info extends ObjectInfo>(info: Info): Info {
  if (isStaging(info.key)) return info
  const { etag: _, versionId: __, ...rest } = info
  return rest as Info
}

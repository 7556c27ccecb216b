/** Storage classes that a rule can move objects to, in the order in which S3 lets them follow each other. */
export const TIER_CLASSES = [
  'STANDARD_IA',
  'INTELLIGENT_TIERING',
  'ONEZONE_IA',
  'GLACIER_IR',
  'GLACIER',
  'DEEP_ARCHIVE',
] as const

export type TierClass = (typeof TIER_CLASSES)[number]

/** From where to where S3 moves: https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html */
export function canFollow(from: string, to: TierClass): boolean {
  const source = TIER_CLASSES.indexOf(from as TierClass)
  if (source < 0) return true
  // It has an availability zone of its own, which an archive with instant access has not.
  if (from === 'ONEZONE_IA' && to === 'GLACIER_IR') return false
  return TIER_CLASSES.indexOf(to) > source
}

/** Infrequent access: S3 wants objects to be 30 days old, and to stay for 30 days. */
export function needsThirtyDays(storageClass: string): boolean {
  return storageClass === 'STANDARD_IA' || storageClass === 'ONEZONE_IA'
}

/** Objects that have to be restored before they can be read. */
export function isArchive(storageClass: string): boolean {
  return storageClass === 'GLACIER' || storageClass === 'DEEP_ARCHIVE'
}

/** Bytes below which a move to the class costs more than it brings. */
export function leastSize(storageClass: TierClass): number {
  return isArchive(storageClass) ? 0 : 128 * 1024
}

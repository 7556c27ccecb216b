import type { LifecyclePolicy, LifecycleTier } from './lifecycle-policy.ts'
import { minSize } from './lifecycle-rules.ts'
import { canFollow } from './tier-classes.ts'

/** What a policy does to one object by a certain age. */
export interface ObjectFate {
  /** The entry by which it is gone. */
  readonly expiredAfterDays?: number
  /** Its storage class by then. */
  readonly storageClass: string
  /** The move that came last, where there was one. */
  readonly movedAfterDays?: number
  /** How often it was moved: each is a request that is charged. */
  readonly moves: readonly string[]
}

export interface AgedObject {
  readonly key: string
  readonly size: number
  /** Where it is now. Default: `STANDARD`. */
  readonly storageClass?: string
  readonly ageDays: number
}

const DAY = 86_400_000

/** Whole days; `undefined` where the list does not say when it was written. */
export function ageInDays(lastModified: Date | undefined, now: number): number | undefined {
  return lastModified === undefined
    ? undefined
    : Math.max(0, Math.floor((now - lastModified.getTime()) / DAY))
}

/** The fate of many objects: the policy is sorted once. */
export function objectFates({
  tiers = [],
  expire = [],
}: LifecyclePolicy): (object: AgedObject) => ObjectFate {
  const moves = [...tiers].sort((a, b) => a.afterDays - b.afterDays)
  const ends = [...expire].sort((a, b) => a.afterDays - b.afterDays)
  return object => {
    const { key, ageDays, storageClass = 'STANDARD' } = object
    const end = ends.find(({ prefix, afterDays }) => afterDays <= ageDays && key.startsWith(prefix))
    const made: LifecycleTier[] = []
    let current = storageClass
    for (const move of moves) {
      if (move.afterDays > ageDays || !concerns(move, object) || !isMove(current, move)) continue
      made.push(move)
      current = move.storageClass
    }
    const last = made.at(-1)
    return {
      storageClass: current,
      moves: made.map(move => move.storageClass),
      ...(end === undefined ? {} : { expiredAfterDays: end.afterDays }),
      ...(last === undefined ? {} : { movedAfterDays: last.afterDays }),
    }
  }
}

function concerns(tier: LifecycleTier, { key, size }: AgedObject): boolean {
  return key.startsWith(tier.prefix) && size >= minSize(tier)
}

function isMove(from: string, { storageClass }: LifecycleTier): boolean {
  return from !== storageClass && canFollow(from, storageClass)
}

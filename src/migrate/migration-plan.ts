/** What a migration would do, from a listing of both sides. */
export interface MigrationPlan {
  readonly objects: number
  readonly bytes: number
  readonly toCopy: { readonly objects: number; readonly bytes: number }
  /** At the destination already, by this migration. */
  readonly copied: { readonly objects: number; readonly bytes: number }
  /** Left out by filters or by the key conversion. */
  readonly leftOut: { readonly objects: number; readonly bytes: number }
  readonly refusals: {
    readonly total: number
    readonly byReason: Readonly<Record<RefusalReason, number>>
    readonly first: readonly PlanRefusal[]
  }
  /** What became of objects since the plan before: new, changed at the source, lost or changed at the destination, gone. */
  readonly since: {
    readonly added: number
    readonly changed: number
    readonly lost: number
    readonly gone: number
  }
  /** Requests that the copy will make, and what they cost by the price table. */
  readonly requests: RequestEstimate
}

/**
 * `collision`: two source keys get one destination key, or one gets what is a folder of the other's where the destination can't
 * have both. `case-collision`: two that differ by case alone, where the destination can't tell
 * them apart. `invalid-key`: the destination can't hold it. `too-large`. `exists`: another object is in its place.
 */
export type RefusalReason = 'collision' | 'case-collision' | 'invalid-key' | 'too-large' | 'exists'

export interface PlanRefusal {
  readonly reason: RefusalReason
  readonly sourceKey: string
  readonly destinationKey: string
  readonly message: string
}

export interface RequestEstimate {
  readonly lists: number
  readonly gets: number
  readonly puts: number
  /** In US dollars, by the table that was given; requests and traffic out of the source. */
  readonly cost: {
    readonly requests: number
    readonly traffic: number
    readonly total: number
    readonly prices: string
  }
}

import { isElsewhere } from '../../core/location.ts'
import { cutOverLocation, isCutOverLocation } from './cut-over-location.ts'
import type { CutOverSet } from './cut-over-set.ts'
import { CONTROL } from './cut-over-tables.ts'

/** Tells record sets of this cut-over from those of the same database whose objects lie in other stores. */
export interface RecordPlaces {
  /** Whether what lies at the source is what a record set at this location has. */
  isHere(location: string | undefined): boolean
  /** Whether none of the two sides is the store of a record set at this location. */
  isElsewhere(location: string | undefined): boolean
}

export async function recordPlaces(set: CutOverSet): Promise<RecordPlaces> {
  const rows = await set.query([`SELECT name, from_location, to_location FROM ${CONTROL}`])
  const own = [{ from: set.side('from').location, to: set.side('to').location }]
  const others: { from: string; to: string }[] = []
  for (const row of rows) {
    const stored = { from: String(row.from_location), to: String(row.to_location) }
    // Whoever began it may call the stores otherwise than this process does.
    if (row.name === set.name) own.push(stored)
    else others.push(stored)
  }
  const here = new Set(own.flatMap(({ from, to }) => [cutOverLocation(from, to), from]))
  const sides = own.flatMap(({ from, to }) => [from, to])
  const isNoSide = (location: string) => sides.every(side => isElsewhere(side, location))
  // One that has led to a side of this one does not count: its records lie here by now.
  const ofOthers = new Set(
    others
      .filter(({ from, to }) => isNoSide(from) && isNoSide(to))
      .map(({ from, to }) => cutOverLocation(from, to)),
  )
  return {
    isHere: location => location !== undefined && here.has(location),
    isElsewhere(location) {
      if (location === undefined || here.has(location)) return false
      // Two stores by names that nobody knows may be these two. Only those of another cut-over are surely not.
      if (isCutOverLocation(location)) return ofOthers.has(location)
      return isNoSide(location)
    },
  }
}

/** Gives each of `items` a partner of its own where that is possible: augmenting paths, as for any bipartite graph. */
export function match<Item, Partner>(
  items: readonly Item[],
  partners: readonly Partner[],
  fits: (item: Item, partner: Partner) => boolean,
): Map<Item, Partner> {
  const taken = new Map<Partner, Item>()
  const place = (item: Item, tried: Set<Partner>): boolean => {
    for (const partner of partners) {
      if (tried.has(partner) || !fits(item, partner)) continue
      tried.add(partner)
      const other = taken.get(partner)
      if (other !== undefined && !place(other, tried)) continue
      taken.set(partner, item)
      return true
    }
    return false
  }
  for (const item of items) place(item, new Set())
  return new Map([...taken].map(([partner, item]) => [item, partner]))
}

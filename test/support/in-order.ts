/** A recording as far as its place goes. */
interface Named {
  readonly name: string
}

/** The recordings with those of `madeEarlier` moved right before the one on their right. */
export function inOrder<Recording extends Named>(
  recordings: readonly Recording[],
  madeEarlier: readonly (readonly [name: string, before: string])[],
): Recording[] {
  const ordered = [...recordings]
  for (const [name, before] of madeEarlier) {
    const from = ordered.findIndex(recording => recording.name === name)
    const [moved] = ordered.splice(from, 1)
    const to = ordered.findIndex(recording => recording.name === before)
    if (!moved || to < 0) throw new Error(`there is no recording ${moved ? before : name}`)
    ordered.splice(to, 0, moved)
  }
  return ordered
}

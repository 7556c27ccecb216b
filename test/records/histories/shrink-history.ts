import type { History } from './history.ts'

/** Whether a history still fails, and at which of its calls something failed. */
export type Trial = (history: History) => Promise<{ fails: boolean; faults: readonly string[] }>

/** Leaves out operations and failures as long as the history still fails. */
export async function shrinkHistory(failing: History, trial: Trial, mostTrials = 400): Promise<History> {
  let smallest = failing
  let trials = 0
  const keeps = async (candidate: History): Promise<boolean> => {
    if (++trials > mostTrials || !(await trial(candidate)).fails) return false
    smallest = candidate
    return true
  }
  for (let changed = true; changed && trials < mostTrials; ) {
    changed = false
    const { length } = smallest.clients
    for (let client = 0; client < length; client++)
      for (let at = smallest.clients[client]!.length - 1; at >= 0; at--)
        changed = (await keeps(withoutOperation(smallest, client, at))) || changed
    for (const fault of (await trial(smallest)).faults)
      changed = (await keeps({ ...smallest, calm: [...smallest.calm, fault] })) || changed
  }
  return smallest
}

function withoutOperation(history: History, client: number, at: number): History {
  const clients = history.clients.map((operations, index) =>
    index === client ? operations.filter((_, other) => other !== at) : operations,
  )
  return { ...history, clients }
}

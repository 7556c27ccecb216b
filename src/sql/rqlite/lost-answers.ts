import { isStorageError } from '../../core/errors.ts'
import { parseAnswer } from './answer-json.ts'
import type { Cluster } from './cluster.ts'
import { execute } from './execute.ts'
import { checkResults } from './failures.ts'
import type { Settings } from './options.ts'
import type { WaitingBatch } from './waiting-batch.ts'

/** States of operations by their ids, asked linearizably. */
export type AskStates = (ids: readonly string[]) => Promise<Map<string, bigint>>

/** What becomes of batches whose answers were lost: asked by their ids, which can't happen twice. */
export class LostAnswers {
  private readonly cluster: Cluster
  private readonly settings: Settings
  private readonly askStates: AskStates

  constructor(cluster: Cluster, settings: Settings, askStates: AskStates) {
    this.cluster = cluster
    this.settings = settings
    this.askStates = askStates
  }

  /** Tells each what became of it, however long that takes to know. Returns those that have not happened. */
  async resolve(group: readonly WaitingBatch[]): Promise<readonly WaitingBatch[]> {
    for (const one of group) if (one.member.id === undefined) one.rejectAsLost()
    let open = group.filter(one => !one.settled)
    for (let attempt = 1; open.length > 0; attempt++) {
      try {
        const states = await this.askStates(open.map(({ member }) => member.id!))
        for (const one of open) {
          const state = states.get(one.member.id!)
          if (state !== undefined) one.resolve({ applied: state === 2n, results: undefined })
        }
        return open.filter(one => !one.settled)
      } catch (error) {
        for (const one of open) {
          if (isStorageError(error, 'unauthenticated', 'permission-denied')) one.rejectAsLost()
          else one.problem = error
        }
        if (open.some(one => !one.settled)) await this.settings.wait(this.cluster.backoffMs(attempt))
      }
      open = open.filter(one => !one.settled)
    }
    return []
  }

  /**
   * It was refused now, but an earlier try of it may still lie somewhere. Its id is taken, as that of a batch that did
   * not happen, before anyone is told so. Returns whether that could be done.
   */
  async bury({ member }: WaitingBatch): Promise<boolean> {
    const sql =
      'INSERT INTO stowage_operations (id, state, at) SELECT ?, 0, ? WHERE 1 = 1 ON CONFLICT (id) DO NOTHING'
    try {
      const { text } = await execute(this.cluster, JSON.stringify([[sql, member.id, this.settings.now()]]))
      checkResults('batch', parseAnswer(text), 1)
      return true
    } catch {
      return false
    }
  }
}

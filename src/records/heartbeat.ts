import type { RecordSet } from './record-set.ts'

/**
 * Says, while bytes are on their way, that their writer is alive. `lost` ends when somebody else has taken the job over:
 * what is written then will never be published.
 */
export function heartbeat(set: RecordSet, id: string): { stop: () => void; lost: AbortSignal } {
  const lost = new AbortController()
  const stopped = new AbortController()
  void beat()
  return { lost: lost.signal, stop: () => stopped.abort() }

  async function beat(): Promise<void> {
    const pause = set.settings.leaseMs / 3
    for (;;) {
      await set.rest(pause, stopped.signal).catch(() => {})
      if (stopped.signal.aborted) return
      try {
        const [result] = (
          await set.write([
            [
              `UPDATE ${set.table('journal')} SET beat = beat + 1 WHERE id = ? AND fence = 1 AND state = 'open'`,
              id,
            ],
          ])
        ).results!
        if (result!.changes === 0 && !stopped.signal.aborted) return lost.abort(new Error('taken over'))
      } catch {
        // The database can't be reached: the next beat says whether the lease was lost meanwhile.
      }
    }
  }
}

import { eitherSignal } from '../core/deadline.ts'
import type { Engine, Statement } from '../sql/engine.ts'

const CLAIMS = 'stowage_migration_claims'

/** The table of who is at which range, or at a whole run. */
export async function prepareClaims({ engine }: { readonly engine: Engine }): Promise<void> {
  const { text, integer } = engine.types
  await engine.batch([
    [
      `CREATE TABLE IF NOT EXISTS ${CLAIMS} (id ${text} PRIMARY KEY, holder ${text} NOT NULL, beat ${integer} NOT NULL)`,
    ],
  ])
}

/** A claim as it was found. */
export interface SeenClaim {
  readonly holder: string
  readonly beat: bigint
}

/** One row that says who is at something, and by a number that grows that the holder lives. Each change tells whether it happened. */
export class Claim {
  readonly #engine: Engine
  readonly #id: string
  readonly #holder: string

  constructor(engine: Engine, id: string, holder: string) {
    this.#engine = engine
    this.#id = id
    this.#holder = holder
  }

  enter(): Promise<boolean> {
    return this.#change([
      `INSERT INTO ${CLAIMS} (id, holder, beat) SELECT ?, ?, 0 WHERE 1 = 1 ON CONFLICT (id) DO NOTHING`,
      this.#id,
      this.#holder,
    ])
  }

  async seen(): Promise<SeenClaim | undefined> {
    const [row] = await this.#engine.query([`SELECT holder, beat FROM ${CLAIMS} WHERE id = ?`, this.#id], {
      consistency: 'linearizable',
    })
    return row && { holder: row.holder as string, beat: row.beat as bigint }
  }

  /** Only as it was seen: whoever has beaten since keeps it. */
  takeOver({ holder, beat }: SeenClaim): Promise<boolean> {
    return this.#change([
      `UPDATE ${CLAIMS} SET holder = ?, beat = 0 WHERE id = ? AND holder = ? AND beat = ?`,
      this.#holder,
      this.#id,
      holder,
      beat,
    ])
  }

  beat(): Promise<boolean> {
    return this.#change([
      `UPDATE ${CLAIMS} SET beat = beat + 1 WHERE id = ? AND holder = ?`,
      this.#id,
      this.#holder,
    ])
  }

  /**
   * Runs `work` while `beat` goes on, until its signal ends or it has called `lose`; then gives the claim back.
   *
   * @throws what `work` throws; the reason that `lose` was given
   */
  async during<Result>(
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<Result>,
    beat: (over: AbortSignal, lose: (reason: Error) => void) => Promise<void>,
  ): Promise<Result> {
    const lost = new AbortController()
    const over = new AbortController()
    const beating = beat(over.signal, reason => lost.abort(reason))
    try {
      return await work(eitherSignal(signal, lost.signal))
    } catch (error) {
      throw lost.signal.aborted ? lost.signal.reason : error
    } finally {
      over.abort()
      await beating
      // One that stays is free after its time.
      await this.#change([`DELETE FROM ${CLAIMS} WHERE id = ? AND holder = ?`, this.#id, this.#holder]).catch(
        () => {},
      )
    }
  }

  async #change(statement: Statement): Promise<boolean> {
    const { results } = await this.#engine.batch([statement])
    return (results?.[0]?.changes ?? 0) > 0
  }
}

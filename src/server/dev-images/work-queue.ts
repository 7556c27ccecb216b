import { untilEnded } from '../../core/deadline.ts'

interface Task {
  readonly promise: Promise<unknown>
  readonly end: AbortController
  waiting: number
}

/**
 * Runs so many tasks at once and the others in their order. Who asks for what is under way already gets the result
 * of that; a task that nobody waits for any more is ended, or never begun.
 */
export class WorkQueue<Result> {
  readonly #limit: number
  readonly #tasks = new Map<string, Task>()
  readonly #line: (() => void)[] = []
  #running = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** @throws what the task throws, or the reason of `signal` as soon as that ends */
  async run(
    name: string,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    signal.throwIfAborted()
    const task = this.#tasks.get(name) ?? this.#begin(name, work)
    task.waiting++
    try {
      return (await untilEnded(task.promise, signal)) as Result
    } finally {
      task.waiting--
      if (task.waiting === 0 && this.#tasks.get(name) === task) {
        // A later caller begins anew: what is given up here is on its way to an error.
        this.#tasks.delete(name)
        task.end.abort(signal.reason)
      }
    }
  }

  #begin(name: string, work: (signal: AbortSignal) => Promise<Result>): Task {
    const end = new AbortController()
    const promise = this.#turn(end.signal, () => work(end.signal))
    const task: Task = { promise, end, waiting: 0 }
    this.#tasks.set(name, task)
    const forget = () => {
      if (this.#tasks.get(name) === task) this.#tasks.delete(name)
    }
    promise.then(forget, forget)
    return task
  }

  async #turn(signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    if (this.#running >= this.#limit) await new Promise<void>(resolve => this.#line.push(resolve))
    else this.#running++
    try {
      signal.throwIfAborted()
      return await work()
    } finally {
      const next = this.#line.shift()
      if (next === undefined) this.#running--
      else next()
    }
  }
}

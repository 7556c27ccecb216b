import progress, { type MultiBar, type SingleBar } from 'cli-progress'
import { humanSize } from './human-format.ts'
import type { Terminal } from './terminal.ts'

/** Objects that take no time need no bar. */
const SHOW_AFTER_MS = 250

/** One bar for all bytes of a command, or for what it counts, on a terminal only. Gone when the work is done. */
export class Progress {
  readonly #stream: Terminal['stderr']
  readonly #enabled: boolean
  #bars: MultiBar | undefined
  #bar: SingleBar | undefined
  #loaded = 0
  #total: number | undefined = 0
  #files = { done: 0, total: 0 }
  #begun: number | undefined
  #format: (amount: number) => string = humanSize
  #showsEta = false
  #doing = ''

  constructor(stream: Terminal['stderr'], enabled: boolean) {
    this.#stream = stream
    this.#enabled = enabled && stream.isTTY === true
  }

  /** More work is known; without `bytes` its size is not. */
  expect(bytes: number | undefined): void {
    this.#files.total++
    this.#total = bytes === undefined || this.#total === undefined ? undefined : this.#total + bytes
    if (this.#total !== undefined) this.#bar?.setTotal(this.#total)
  }

  /** For `onProgress` of one object. */
  track(): (progress: { loaded: number }) => void {
    let before = 0
    return ({ loaded }) => {
      this.#loaded += loaded - before
      before = loaded
      this.#draw()
    }
  }

  /** What is counted is no bytes: so much is done, of about so much. `doing` stands behind it. */
  count(done: number, total: number | undefined, noun: string, doing = ''): void {
    this.#doing = doing
    this.#format = amount => `${Math.round(amount).toLocaleString('en')} ${noun}`
    this.#loaded = done
    this.#total = total === undefined ? undefined : Math.max(done, total)
    if (this.#total !== undefined) this.#bar?.setTotal(this.#total)
    this.#draw()
  }

  /** So much of a known whole is done, in bytes and files; the bar also says how long the rest takes at this rate. */
  reach(done: { bytes: number; files: number }, total: { bytes: number; files: number }): void {
    this.#showsEta = true
    this.#loaded = done.bytes
    this.#files = { done: done.files, total: total.files }
    this.#total = Math.max(done.bytes, total.bytes)
    this.#bar?.setTotal(this.#total)
    this.#draw()
  }

  /** What comes now is something else: its bar begins anew. */
  next(): void {
    this.stop()
    this.#loaded = 0
    this.#total = 0
    this.#files = { done: 0, total: 0 }
    this.#begun = undefined
    this.#format = humanSize
    this.#showsEta = false
    this.#doing = ''
  }

  /** One object has ended, well or not. */
  end(): void {
    this.#files.done++
    this.#draw()
  }

  /** Prints a line above the bar. @returns false where there is no bar */
  above(line: string): boolean {
    if (this.#bars === undefined) return false
    this.#bars.log(line)
    return true
  }

  stop(): void {
    if (this.#bars === undefined) return
    // What was logged last is still waiting for its turn to be drawn.
    this.#bars.update()
    this.#bars.stop()
    this.#bars = undefined
    this.#bar = undefined
  }

  #draw(): void {
    if (!this.#enabled) return
    const now = performance.now()
    this.#begun ??= now
    if (this.#bar === undefined) {
      if (now - this.#begun < SHOW_AFTER_MS) return
      this.#start()
    }
    const { done, total } = this.#files
    const seconds = (now - this.#begun) / 1000
    const rate = `${this.#format(this.#loaded / Math.max(seconds, 0.001))}/s`
    const count = total > 1 ? `  ${done}/${total} files` : ''
    const left = (this.#total ?? 0) - this.#loaded
    const eta =
      this.#showsEta && left > 0 && this.#loaded > 0 ? `  ${timeLeft((seconds * left) / this.#loaded)}` : ''
    this.#bar!.update(this.#loaded, { rate, count: `${count}${eta}${this.#doing && `  ${this.#doing}`}` })
  }

  #start(): void {
    const known = this.#total !== undefined
    const width = Math.max(10, Math.min(40, (this.#stream.columns ?? 80) - 50))
    this.#bars = new progress.MultiBar({
      stream: this.#stream as NodeJS.WriteStream,
      format: known ? '{bar} {percentage}%  {value} of {total}  {rate}{count}' : '{value}  {rate}{count}',
      barsize: width,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      hideCursor: true,
      clearOnComplete: true,
      formatValue: (value, _, type) =>
        type === 'percentage' ? String(value).padStart(3) : this.#format(Number(value)),
    })
    this.#bar = this.#bars.create(this.#total ?? 0, this.#loaded, { rate: '', count: '' })
  }
}

function timeLeft(seconds: number): string {
  if (seconds < 99) return `${Math.ceil(seconds)} s left`
  return seconds < 5940 ? `${Math.ceil(seconds / 60)} min left` : `${(seconds / 3600).toFixed(1)} h left`
}

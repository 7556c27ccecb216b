/** Counts what has begun and not ended. Unlike a race of many promises it costs each of them nothing. */
export class UnderWay {
  #count = 0
  #wake = () => {}

  /** @param work never rejects */
  add(work: Promise<void>): void {
    this.#count++
    void work.then(() => {
      this.#count--
      this.#wake()
    })
  }

  async below(most: number): Promise<void> {
    while (this.#count >= most)
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
  }
}

import { describe, expect, it } from 'vitest'
import { showBest } from '../../examples/image-pipeline/page/show-best.js'

describe('showBest of image-pipeline', () => {
  const never = new AbortController().signal

  function pending() {
    let resolve!: (image: string) => void
    const promise = new Promise<string>(done => {
      resolve = done
    })
    return { promise, resolve }
  }

  /** Stages that come when they are told to. */
  function stages(count: number) {
    const made = Array.from({ length: count }, () => pending())
    return {
      made,
      begin: made.map(
        ({ promise }) =>
          () =>
            promise,
      ),
    }
  }

  it('shows each stage that is better than what is shown', async () => {
    const { made, begin } = stages(3)
    const shown: string[] = []
    const done = showBest(begin, (image: string) => shown.push(image), never)
    for (const [at, name] of ['placeholder', 'thumbnail', 'original'].entries()) made[at]!.resolve(name)
    await done
    expect(shown).toEqual(['placeholder', 'thumbnail', 'original'])
  })

  it('never replaces a loaded original by a placeholder that comes late', async () => {
    const { made, begin } = stages(3)
    const shown: string[] = []
    const done = showBest(begin, (image: string) => shown.push(image), never)
    made[2]!.resolve('original')
    await done
    made[1]!.resolve('thumbnail')
    made[0]!.resolve('placeholder')
    await Promise.all(made.map(({ promise }) => promise))
    await new Promise(setImmediate)
    expect(shown).toEqual(['original'])
  })

  it('shows at once what is there at once, and skips what is not there', () => {
    const shown: string[] = []
    void showBest(
      [() => 'placeholder', () => undefined, () => new Promise<string>(() => {})],
      (image: string) => shown.push(image),
      never,
    )
    expect(shown).toEqual(['placeholder'])
  })

  it('is content with what could be shown, and rejects with the failure of the best where nothing could', async () => {
    const shown: string[] = []
    const fails = (why: string) => () => Promise.reject(new Error(why))
    await showBest([() => 'placeholder', fails('gone')], (image: string) => shown.push(image), never)
    expect(shown).toEqual(['placeholder'])
    await expect(showBest([fails('bad'), fails('gone')], () => {}, never)).rejects.toThrow('gone')
  })

  it('shows nothing more once it is ended', async () => {
    const { made, begin } = stages(2)
    const stop = new AbortController()
    const shown: string[] = []
    const { signal } = stop
    const done = showBest(begin, (image: string) => shown.push(image), signal)
    stop.abort(new Error('left'))
    await expect(done).rejects.toThrow('left')
    made[1]!.resolve('original')
    await new Promise(setImmediate)
    expect(shown).toEqual([])
  })
})

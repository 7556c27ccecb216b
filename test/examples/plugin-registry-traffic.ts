/** Publishers and programs with plugins, in a loop, with the client that the example ships. */
import { RegistryClient } from '../../examples/plugin-registry/registry-client.js'
import { seededRandom } from '../../src/decorators/seeded-random.ts'
import { type Plugin, plugin, TOKEN } from './plugin-registry-server.ts'

export interface TrafficOptions {
  readonly url: string
  readonly publishes: number
  readonly downloads: number
  /** Clients of each kind that are at work at once. */
  readonly atOnce: number
  readonly seed: number
}

/**
 * So many publications and downloads in all. They keep to the pace that `release` sets, so that all phases of a move see
 * some of them.
 */
export class Traffic {
  readonly published: Plugin[] = []
  readonly failures: { publish: string[]; download: string[] } = { publish: [], download: [] }
  downloaded = 0
  readonly #options: TrafficOptions
  readonly #random: () => number
  readonly #client: RegistryClient
  readonly #begun = { publish: 0, download: 0 }
  #released = 0
  readonly #waiting: (() => void)[] = []
  readonly #ended = { publish: 0, download: 0 }
  readonly #watching: (() => void)[] = []

  constructor(options: TrafficOptions) {
    this.#options = options
    this.#random = seededRandom(options.seed)
    this.#client = new RegistryClient(options.url, {
      token: TOKEN,
      backoff: { random: seededRandom(options.seed + 1) },
    })
  }

  /** Everything up to this share of the whole, from 0 to 1, may go on. */
  release(share: number): void {
    this.#released = share
    for (const go of this.#waiting.splice(0)) go()
  }

  /** Everything up to this share goes on, and is done when this ends. */
  async reach(share: number): Promise<void> {
    this.release(share)
    const { publishes, downloads } = this.#options
    const isReached = () =>
      this.#ended.publish >= Math.floor(share * publishes) &&
      this.#ended.download >= Math.floor(share * downloads)
    while (!isReached()) await new Promise<void>(resolve => this.#watching.push(resolve))
  }

  /** Ends when all of it is done. */
  async run(): Promise<void> {
    const { publishes, downloads, atOnce } = this.#options
    const each = (work: () => Promise<void>) => Promise.all(Array.from({ length: atOnce }, work))
    await Promise.all([
      each(() => this.#loop('publish', publishes, number => this.#publish(number))),
      each(() => this.#loop('download', downloads, () => this.#download())),
    ])
  }

  async #loop(kind: 'publish' | 'download', count: number, work: (number: number) => Promise<void>) {
    while (this.#begun[kind] < count) {
      const number = ++this.#begun[kind]
      while (number > this.#released * count) await new Promise<void>(resolve => this.#waiting.push(resolve))
      await work(number)
      this.#ended[kind]++
      for (const look of this.#watching.splice(0)) look()
    }
  }

  async #publish(number: number): Promise<void> {
    // Twenty plugins, of which each has many versions.
    const content = `${number} ${'·'.repeat(1 + Math.floor(this.#random() * 4_000))}`
    const one = plugin(`plugin-${number % 20}`, `1.${number}.0`, content)
    try {
      await this.#client.publish(one)
      this.published.push(one)
    } catch (error) {
      this.failures.publish.push(`${one.name} ${one.version}: ${wordsOf(error)}`)
    }
  }

  /** Of what was published. Where nothing is yet, somebody has published it a moment later. */
  async #download(): Promise<void> {
    while (this.published.length === 0) await new Promise(resolve => setTimeout(resolve, 20))
    const { name, version } = this.published[Math.floor(this.#random() * this.published.length)]!
    try {
      await this.#client.download(name, version)
      this.downloaded++
    } catch (error) {
      this.failures.download.push(`${name} ${version}: ${wordsOf(error)}`)
    }
  }
}

function wordsOf(error: unknown): string {
  const { message, cause } = error as Error
  return cause === undefined ? message : `${message} (${(cause as Error).message})`
}

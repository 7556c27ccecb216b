/** A registry in operation: two servers behind one address, over stores that fail now and then. */

import { type Balancer, balancer, type FaultyProxy, faultyProxy } from './plugin-registry-proxy.ts'
import { newFolder, startServer } from './plugin-registry-server.ts'
import type { RunningExample } from './run-example.ts'

type Server = RunningExample & { readonly url: string }
type Environment = Readonly<Record<string, string>>

export class RegistryWorld {
  readonly folder = newFolder()
  readonly #proxies: FaultyProxy[] = []
  #servers: Server[] = []
  #balancer!: Balancer
  #output = ''

  static async start(): Promise<RegistryWorld> {
    const world = new RegistryWorld()
    world.#balancer = await balancer()
    return world
  }

  get url(): string {
    return this.#balancer.url
  }

  /** What the servers have printed. */
  get output(): string {
    return this.#output + this.#servers.map(server => server.output()).join('')
  }

  /** An address for a store, at which a share of all requests fails. */
  async faulty(origin: string, share: number, random: () => number): Promise<FaultyProxy> {
    const proxy = await faultyProxy(origin, share, random)
    this.#proxies.push(proxy)
    return proxy
  }

  /** Starts both servers, or starts them anew one after the other, so that one of them always answers. */
  async restart(env: Environment): Promise<void> {
    const running = this.#servers
    for (const index of [0, 1]) {
      // The balancer is told first, as one that asks for health finds out.
      this.#use(
        running
          .filter((_, other) => other > index)
          .concat(this.#servers.filter(one => !running.includes(one))),
      )
      await this.#end(running[index])
      this.#servers = [
        ...this.#servers.filter(one => one !== running[index]),
        await startServer(this.folder, env),
      ]
      this.#use(this.#servers)
    }
  }

  async close(): Promise<void> {
    for (const server of this.#servers) await this.#end(server)
    this.#servers = []
    await this.#balancer.close()
    for (const proxy of this.#proxies) await proxy.close()
  }

  #use(servers: readonly Server[]): void {
    if (servers.length > 0) this.#balancer.use(servers.map(({ url }) => Number(new URL(url).port)))
  }

  async #end(server: Server | undefined): Promise<void> {
    if (server === undefined) return
    await server.kill('SIGTERM')
    this.#output += server.output()
  }
}

import { Redis } from 'ioredis'

/** What a client asks on its own account. */
const HOUSEKEEPING = /^(?:client|cluster|hello|info|monitor)$/i
const END = 'all has been sent'

/** What each server is sent while something is done; names of commands are in small letters. */
export async function commandsOn(urls: readonly string[], work: () => Promise<void>): Promise<string[][][]> {
  const clients = urls.map(url => new Redis(url))
  const monitors = await Promise.all(clients.map(client => client.monitor()))
  try {
    const seen = monitors.map(async monitor => {
      const commands: string[][] = []
      await new Promise<void>(resolve => {
        monitor.on('monitor', (_, [name, ...rest]: [string, ...string[]]) => {
          if (rest[0] === END) resolve()
          else if (!HOUSEKEEPING.test(name)) commands.push([name.toLowerCase(), ...rest])
        })
      })
      return commands
    })
    await work()
    // MONITOR tells in order: what was sent before has been seen when this is.
    await Promise.all(clients.map(client => client.ping(END)))
    return await Promise.all(seen)
  } finally {
    for (const client of [...monitors, ...clients]) client.disconnect()
  }
}

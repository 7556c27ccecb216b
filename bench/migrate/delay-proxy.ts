/**
 * Stands before a server and holds back all that comes from it, by so many milliseconds, without limiting what is under way: each
 * request takes that much longer, and a long answer arrives as fast as without. A process of its own; counts the requests by
 * the heads that pass.
 */
import { connect, createServer, type Socket } from 'node:net'

const [target, delay] = process.argv.slice(2).map(Number) as [number, number]
const METHODS = ['GET ', 'HEAD', 'PUT ', 'POST', 'DELE'].map(word => Buffer.from(word))
let requests = 0

const server = createServer({ noDelay: true }, client => {
  const store = connect({ port: target, host: '127.0.0.1', noDelay: true })
  client.on('data', chunk => {
    if (isHead(chunk)) requests++
    if (!store.write(chunk)) holdUntilDrained(client, store)
  })
  delayed(store, client)
  client.on('end', () => store.end())
  for (const [one, other] of [
    [client, store],
    [store, client],
  ] as const)
    one.on('error', () => other.destroy())
  client.on('close', () => store.destroy())
})

/** A client sends a head as a chunk of its own, after the answer before it. Bytes of objects here begin with no such word. */
function isHead(chunk: Buffer): boolean {
  return METHODS.some(word => chunk.subarray(0, 4).equals(word))
}

function holdUntilDrained(reader: Socket, writer: Socket): void {
  reader.pause()
  writer.once('drain', () => reader.resume())
}

/** In order, each chunk `delay` after it came: one timer for the oldest. */
function delayed(from: Socket, to: Socket): void {
  const line: { chunk: Buffer | undefined; due: number }[] = []
  let waits = false
  const flush = () => {
    waits = false
    const now = performance.now()
    while (line.length > 0 && line[0]!.due <= now + 0.5) {
      const { chunk } = line.shift()!
      if (to.destroyed) continue
      if (chunk === undefined) to.end()
      else if (!to.write(chunk)) holdUntilDrained(from, to)
    }
    if (line.length === 0) return
    waits = true
    setTimeout(flush, line[0]!.due - now)
  }
  const take = (chunk: Buffer | undefined) => {
    line.push({ chunk, due: performance.now() + delay })
    if (waits) return
    waits = true
    setTimeout(flush, delay)
  }
  from.on('data', take)
  from.on('end', () => take(undefined))
}

process.on('message', () => process.send!({ requests, cpu: process.cpuUsage() }))
process.once('disconnect', () => process.exit())
server.listen(0, '127.0.0.1', 4096, () => {
  process.send!({ port: (server.address() as { port: number }).port })
})

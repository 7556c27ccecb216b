/** Publishes as `publish.js` does and stops at one step, to be killed there. `sending`: with half of the bytes sent. */
import { request } from 'node:http'
import { packPlugin } from '../../examples/plugin-registry/pack-plugin.js'
import { RegistryClient } from '../../examples/plugin-registry/registry-client.js'

const [folder, url, token, wanted] = process.argv.slice(2)

function stopAt(step) {
  if (step !== wanted) return
  process.send(step)
  // A timer far ahead keeps the process alive until it is killed.
  return new Promise(resolve => setTimeout(resolve, 2 ** 30))
}

function halfSent(target, { method, headers, body }) {
  const sending = request(target, { method, headers: { ...headers, 'content-length': body.length } })
  sending.on('error', () => {})
  return new Promise(() => sending.write(body.subarray(0, body.length / 2), () => stopAt('sending')))
}

process.once('disconnect', () => process.exit(1))
const plugin = await packPlugin(folder)
await stopAt('packed')
const client = new RegistryClient(url, {
  token,
  fetch: (target, init) =>
    wanted === 'sending' && init.method === 'PUT' ? halfSent(target, init) : fetch(target, init),
})
await client.publish(plugin, { onStep: stopAt })
process.exit(1)

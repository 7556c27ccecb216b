/**
 * Publishes a plugin: packs the folder, uploads it, and waits until it can be downloaded. Run it again after a crash.
 *
 *     PUBLISH_TOKEN=… node examples/plugin-registry/publish.js <folder> [registry]
 */
import { packPlugin } from './pack-plugin.js'
import { RegistryClient } from './registry-client.js'

const { PUBLISH_TOKEN: token, REGISTRY_URL } = process.env
const [folder, url = REGISTRY_URL || 'http://127.0.0.1:3000'] = process.argv.slice(2)

try {
  if (folder === undefined) throw new Error('name the folder that has the plugin.json')
  if (!token) throw new Error('PUBLISH_TOKEN is not set')
  const plugin = await packPlugin(folder)
  console.log(`packed: ${plugin.archive.length} bytes, sha256 ${plugin.sha256}`)
  const onStep = step => console.log(step)
  const { name, version } = await new RegistryClient(url, { token }).publish(plugin, { onStep })
  console.log(`${name} ${version} is there`)
} catch (error) {
  console.error(`publish: ${error.message}`)
  process.exitCode = 1
}

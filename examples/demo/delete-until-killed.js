/** A process of its own that deletes a file, and stops where the record is hidden and the bytes are still there. */
import { forward } from 'stowage/decorators'
import { local } from 'stowage/local'
import { withRecords } from 'stowage/records'
import { sqlite } from 'stowage/sqlite'

const [root, path, key] = process.argv.slice(2)
const store = local({ root })
const stopping = forward(store, {
  async deleteMany(keys, options) {
    process.send('hidden')
    // Nobody ends this wait but the one who kills.
    await new Promise(resolve => setTimeout(resolve, 2 ** 30))
    return store.deleteMany(keys, options)
  },
})
process.once('disconnect', () => process.exit(1))
await withRecords(stopping, sqlite({ path })).delete(key)
process.exit(1)

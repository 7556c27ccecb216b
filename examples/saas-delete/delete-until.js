/** A process that deletes an attachment and stops at one moment, to be killed there. Started by `crash.js`. */
import { forward } from 'stowage/decorators'
import { openApp } from './open-app.js'

const [folder, id, moment] = process.argv.slice(2)

/** Says where it is, and stays there. */
function stopAt(name) {
  if (name !== moment) return
  process.send(name)
  // A timer far ahead keeps the process alive until it is killed.
  return new Promise(resolve => setTimeout(resolve, 2 ** 30))
}

const aroundStore = store =>
  forward(store, {
    async deleteMany(keys, options) {
      await stopAt('before-bytes')
      const results = await store.deleteMany(keys, options)
      await stopAt('after-bytes')
      return results
    },
  })

const aroundEngine = engine =>
  new Proxy(engine, {
    get(target, name) {
      const value = target[name]
      if (name !== 'batch') return typeof value === 'function' ? value.bind(target) : value
      return async (statements, options) => {
        if (statements.some(([sql]) => sql.startsWith('DELETE FROM') && sql.includes('attachments')))
          await stopAt('before-transaction')
        return target.batch(statements, options)
      }
    },
  })

process.once('disconnect', () => process.exit(1))
const { attachments } = await openApp({ folder, aroundStore, aroundEngine })
await attachments.remove(id)
process.exit(1)

/** A process of its own that moves files, and stops where half of them have arrived. */
import { forward, prefix } from 'stowage/decorators'
import { local } from 'stowage/local'
import { migrate } from 'stowage/migrate'
import { open } from 'stowage/open'
import { sqlite } from 'stowage/sqlite'

const [root, url, below, path, half] = process.argv.slice(2)
const target = prefix(await open(url), below)
let begun = 0
let arrived = 0
const say = () => {
  if (begun > Number(half) && arrived === Number(half)) process.send('half')
}
const stopping = forward(target, {
  async upload(key, body, options) {
    begun++
    if (begun <= Number(half)) return target.upload(key, body, options)
    say()
    // Nobody ends this wait but the one who kills.
    return new Promise(resolve => setTimeout(resolve, 2 ** 30))
  },
})
process.once('disconnect', () => process.exit(1))
const manifest = sqlite({ path })
for await (const event of migrate({
  from: local({ root }),
  to: stopping,
  manifest,
  limits: { concurrency: 1 },
})) {
  if (event.kind !== 'copied') continue
  arrived++
  say()
}
process.exit(1)

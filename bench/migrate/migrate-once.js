/** The contender: one migration as a program of its own. Arguments: source and destination as JSON, and the database. */
import { migrate } from '../../dist/migrate.js'
import { s3 } from '../../dist/s3.js'
import { sqlite } from '../../dist/sqlite.js'

const [from, to, path] = process.argv.slice(2)
const open = place => {
  const { accessKeyId, secretAccessKey, ...rest } = JSON.parse(place)
  return s3({ ...rest, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } })
}
const source = open(from)
const destination = open(to)
// As the program opens it: a power failure at most repeats the last copies, which are found to be there.
const manifest = sqlite({ path, durability: 'normal' })
for await (const event of migrate({ from: source, to: destination, manifest })) {
  if (process.env.EVENTS && event.kind !== 'copied' && event.kind !== 'verified')
    console.error(Math.round(performance.now()), JSON.stringify(event).slice(0, 300))
  if (event.kind !== 'done') continue
  console.error(JSON.stringify(event.result))
  if (!event.result.complete) process.exitCode = 1
}
await manifest.close()
await source.close()
await destination.close()

/**
 * The contender: one migration as a program of its own. Arguments: source and destination as JSON, the database, and how far to go:
 * `copy` plans and copies, `whole` plans again and verifies, too.
 */
import * as nodeModule from 'node:module'

// As the program `stowage` does, from Node 22.8 on: it is started more than once.
nodeModule.enableCompileCache?.(process.env.BENCH_COMPILED)
const [{ migrate }, { s3 }, { sqlite }] = await Promise.all([
  import('../../dist/migrate.js'),
  import('../../dist/s3.js'),
  import('../../dist/sqlite.js'),
])

const [from, to, path, extent] = process.argv.slice(2)
const open = place => {
  const { accessKeyId, secretAccessKey, ...rest } = JSON.parse(place)
  return s3({ ...rest, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } })
}
const source = open(from)
const destination = open(to)
// As the program opens it: a power failure at most repeats the last copies, which are found to be there.
const manifest = sqlite({ path, durability: 'normal' })
const migration = migrate({ from: source, to: destination, manifest })

if (extent === 'copy') {
  await migration.plan()
  const { failed, refused } = await migration.run()
  if (failed + refused > 0) process.exitCode = 1
} else {
  for await (const event of migration) {
    if (event.kind !== 'done') continue
    console.error(JSON.stringify(event.result))
    if (!event.result.complete) process.exitCode = 1
  }
}
await manifest.close()
await source.close()
await destination.close()

/** A process that migrates, and says each put before it is made and each copy when it is recorded, until it is killed. */
import { forward } from '../../../src/decorators/forward.ts'
import { migrate } from '../../../src/migrate/migrate.ts'
import { open, openEngine } from '../../../src/open.ts'
import type { WorkerTask } from './kills.ts'

const task = JSON.parse(process.argv[2]!) as WorkerTask
const [from, to, manifest] = await Promise.all([open(task.from), open(task.to), openEngine(task.manifest)])
const say = (line: string) => process.stdout.write(`${line}\n`)
const telling = forward(to, {
  upload(key, body, options) {
    say(`put ${key}`)
    return to.upload(key, body, options)
  },
  uploadResumable(key, source, options) {
    return to.uploadResumable(key, source, {
      ...options,
      async onPart(part) {
        say(`part ${key} ${part.start}`)
        await options?.onPart?.(part)
      },
    })
  },
})
say('begun')
for await (const event of migrate({ from, to: telling, manifest, limits: task.limits })) {
  if (event.kind === 'copied') say(`copied ${event.row.sourceKey}`)
  if (event.kind === 'failed') say(`failed ${event.row.sourceKey} ${event.error.message}`)
  if (event.kind === 'done') say(`done ${JSON.stringify(event.result)}`)
}
await Promise.all([from.close(), to.close(), manifest.close()])

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { local } from 'stowage/local'
import { migrate, reportHtml } from 'stowage/migrate'
import { sqlite } from 'stowage/sqlite'
import { line, size } from './show.js'

/** Everything to a second store: planned, killed half-way, gone on with, verified by reading both sides, and reported. */
export async function showMove(target, places, { where, signal }) {
  const manifest = sqlite({ path: places.database })
  try {
    const migration = migrate({
      from: local({ root: places.root }),
      to: target,
      manifest,
      verify: 'content',
      signal,
    })
    const { toCopy } = await migration.plan()
    line(`planned: ${objects(toCopy.objects)}, ${size(toCopy.bytes)}`)
    await killHalfWay(places, Math.floor(toCopy.objects / 2), signal)
    const { byState } = await migration.status()
    const before = byState.copied.objects
    line(`killed with SIGKILL: the manifest has ${before} of ${toCopy.objects} as copied`)

    const { copied, complete, statuses } = await resultOf(migration)
    if (!complete || before + copied !== toCopy.objects)
      throw new Error(`the move is not complete: ${JSON.stringify(statuses)}`)
    line(`run again: ${copied} copied, and none of the ${before} a second time`)
    line(`verified, both sides read in full: ${statuses.match} of ${toCopy.objects} match`)
    const report = join(tmpdir(), 'stowage-demo-report.html')
    await writeFile(
      report,
      await reportHtml(await migration.manifest(), { from: 'the demo’s files', to: where }),
    )
    line(`the report, as a page to look at: ${report}`)
  } finally {
    await manifest.close()
  }
}

async function resultOf(migration) {
  let result
  for await (const event of migration) if (event.kind === 'done') result = event.result
  return result
}

/** The same move in a process of its own, which is killed when so many objects have arrived. */
async function killHalfWay({ root, url, prefix, database }, half, signal) {
  const child = fork(join(import.meta.dirname, 'move-until-killed.js'), [
    root,
    url,
    prefix,
    database,
    `${half}`,
  ])
  const stop = () => child.kill('SIGKILL')
  signal.addEventListener('abort', stop)
  try {
    const ended = once(child, 'exit')
    const [said] = await Promise.race([once(child, 'message'), ended])
    stop()
    const [, killedBy] = await ended
    signal.throwIfAborted()
    if (said !== 'half' || killedBy !== 'SIGKILL') throw new Error('the process ended before it was killed')
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

function objects(count) {
  return `${count} object${count === 1 ? '' : 's'}`
}

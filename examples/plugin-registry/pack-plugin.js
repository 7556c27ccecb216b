import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { create } from 'tar'

const LEFT_OUT = new Set(['node_modules'])
const OPTIONS = {
  gzip: { level: 9 },
  portable: true,
  mtime: new Date(0),
  noDirRecurse: true,
  onWriteEntry({ stat }) {
    stat.mode = stat.mode & 0o100 ? 0o755 : 0o644
  },
}

/**
 * A folder with a `plugin.json` as an archive. The same files give the same bytes, wherever and whenever they are packed:
 * names in order, no owner, one time for all, who may execute it and nothing else of its mode. So who publishes again after a crash publishes the same.
 */
export async function packPlugin(folder) {
  const { name, version, description } = JSON.parse(await readFile(join(folder, 'plugin.json'), 'utf8'))
  const paths = await filesIn(folder)
  const archive = await create({ ...OPTIONS, cwd: folder }, paths).concat()
  return { name, version, description, archive, sha256: createHash('sha256').update(archive).digest('hex') }
}

async function filesIn(folder, below = folder) {
  const paths = []
  for (const entry of await readdir(below, { withFileTypes: true })) {
    if (entry.name.startsWith('.') || LEFT_OUT.has(entry.name)) continue
    const path = join(below, entry.name)
    if (entry.isDirectory()) paths.push(...(await filesIn(folder, path)))
    else if (entry.isFile()) paths.push(relative(folder, path).replaceAll(sep, '/'))
    else throw new Error(`${path} is no file and no folder: a plugin holds nothing else`)
  }
  return paths.sort()
}

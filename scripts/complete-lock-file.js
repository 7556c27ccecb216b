/**
 * Adds to package-lock.json the optional platform packages that the registry at hand did not give.
 *
 * Why: npm writes only what it could fetch. A lock file written behind a registry that mirrors a few platforms makes
 * `npm ci` fail there ("Missing: … from lock file") and installs no binary on the others. An entry that is not for
 * the machine is never fetched, so the platform, which npm packages of this kind carry in their names, is enough.
 *
 * Usage: `node scripts/complete-lock-file.js`, after every `npm install` that changes the lock file.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const SYSTEMS = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
]
const PROCESSORS = { arm: 'arm', arm64: 'arm64', ia32: 'ia32', loong64: 'loong64', mips64el: 'mips64el' }
Object.assign(PROCESSORS, {
  ppc64: 'ppc64',
  ppc64le: 'ppc64',
  riscv64: 'riscv64',
  s390x: 's390x',
  x64: 'x64',
})

if (process.argv[1] === import.meta.filename) {
  const path = join(resolve(process.argv[2] ?? '.'), 'package-lock.json')
  const lock = JSON.parse(readFileSync(path, 'utf8'))
  const missing = missingPlatformPackages(lock)
  for (const { key, version, dev } of missing) lock.packages[key] = entryOf(key, version, dev)
  lock.packages = Object.fromEntries(
    Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)),
  )
  writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`)
  console.log(`${missing.length} platform packages added to ${path}`)
}

/**
 * @param {{ packages: Record<string, { version?: string, dev?: boolean, optionalDependencies?: Record<string, string> }> }} lock
 * @returns {{ key: string, version: string, dev: boolean }[]}
 */
export function missingPlatformPackages(lock) {
  return Object.entries(lock.packages).flatMap(([owner, { optionalDependencies = {}, dev = false }]) =>
    Object.entries(optionalDependencies)
      .filter(
        ([name]) => !lock.packages[`${owner}/node_modules/${name}`] && !lock.packages[`node_modules/${name}`],
      )
      .map(([name, version]) => ({ key: `node_modules/${name}`, version, dev })),
  )
}

function entryOf(key, version, dev) {
  const words = key.split('/').at(-1).split('-')
  const os = words.find(word => SYSTEMS.includes(word))
  const cpu = words.map(word => PROCESSORS[word]).find(Boolean)
  if (!os || !cpu) throw new Error(`${key} does not say which platform it is for`)
  const libc = words.some(word => word.startsWith('musl')) ? 'musl' : 'glibc'
  return {
    version,
    cpu: [cpu],
    ...(dev && { dev }),
    ...(os === 'linux' && { libc: [libc] }),
    optional: true,
    os: [os],
  }
}

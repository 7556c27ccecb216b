/**
 * Stands for npm while a guide is tried: `npm install` takes packages from this checkout instead of a registry.
 *
 * Only what is named is there afterwards, so a guide that forgets to install a peer fails. `stowage` itself is a copy of what was
 * built, because a link would let it find every package of the checkout. Everything else but `install` and `init` is npm's own.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const { GUIDE_CHECKOUT: checkout, GUIDE_DIST: dist, GUIDE_NPM: npm } = process.env
const [command, ...args] = process.argv.slice(2)

if (command !== 'install')
  process.exit(spawnSync(npm, process.argv.slice(2), { stdio: 'inherit' }).status ?? 1)

const project = existsSync('package.json') ? JSON.parse(readFileSync('package.json', 'utf8')) : {}
project.dependencies ??= {}
for (const name of args.filter(arg => !arg.startsWith('-'))) {
  const { version, bin = {}, dependencies = {} } = addPackage(name)
  project.dependencies[name] = `^${version}`
  const programs = typeof bin === 'string' ? { [name]: bin } : bin
  for (const [program, path] of Object.entries(programs))
    link(join('..', name, path), join('node_modules/.bin', program))
  if (name === 'stowage') for (const dependency of Object.keys(dependencies)) addPackage(dependency)
}
writeFileSync('package.json', `${JSON.stringify(project, null, 2)}\n`)

function addPackage(name) {
  const source = name === 'stowage' ? checkout : join(checkout, 'node_modules', name)
  const folder = join('node_modules', name)
  const manifest = join(source, 'package.json')
  if (!existsSync(manifest)) {
    console.error(`npm: the checkout has no package ${name}`)
    process.exit(1)
  }
  if (name === 'stowage') {
    mkdirSync(folder, { recursive: true })
    cpSync(manifest, join(folder, 'package.json'))
    cpSync(dist, join(folder, 'dist'), { recursive: true })
  } else link(source, folder)
  return JSON.parse(readFileSync(manifest, 'utf8'))
}

function link(target, path) {
  mkdirSync(dirname(path), { recursive: true })
  rmSync(path, { force: true, recursive: true })
  symlinkSync(target, path)
}

/** The package as npm would publish it, for tests that look at it from outside. */
import { type ExecFileSyncOptionsWithStringEncoding, execFileSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { lockFile } from '../support/file-lock.ts'

export const root = resolve(import.meta.dirname, '../..')

type Conditions = Record<'import' | 'require', Record<'types' | 'default', string>>

interface Manifest {
  name: string
  version: string
  exports: Record<string, string | Conditions>
  peerDependencies: Record<string, string>
}

export const manifest: Manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** `stowage`, `stowage/s3`, … with the files each of them stands for. */
export const entries = Object.entries(manifest.exports).flatMap(([path, files]) =>
  typeof files === 'string' ? [] : [{ name: path.replace(/^\./, manifest.name), files }],
)

export const optionalPeers = Object.keys(manifest.peerDependencies)

const BUILD_LIMIT_MS = 300_000
/** For hooks: a build with types for every entry takes minutes on a machine under load. */
export const BUILD_AND_INSTALL_MS = 400_000

/** Builds `dist/` unless `npm test` has just done it, or nothing has changed since. */
export async function build(): Promise<void> {
  const release = await lockFile(join(root, 'node_modules/.stowage-build.lock'), BUILD_LIMIT_MS)
  try {
    if (process.env.STOWAGE_TEST_BUILT === '1' || !isStale()) return
    execFileSync(process.execPath, ['node_modules/tsup/dist/cli-default.js', '--silent'], { cwd: root })
  } finally {
    release()
  }
}

function isStale(): boolean {
  const sources = [...files('src', '.ts'), join(root, 'tsup.config.ts')].map(changedAt)
  const types = files('dist', '.d.cts').map(changedAt)
  return types.length === 0 || Math.min(...types) < Math.max(...sources)
}

function files(folder: string, ending: string): string[] {
  try {
    return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter(path => path.endsWith(ending))
      .map(path => join(root, folder, path))
  } catch {
    return []
  }
}

function changedAt(path: string): number {
  return statSync(path).mtimeMs
}

/** Packs the package into `folder` and returns the tarball's path. */
export async function pack(folder: string): Promise<string> {
  await build()
  const output = npm(['pack', '--json', '--ignore-scripts', '--pack-destination', folder], root)
  const [{ filename }] = JSON.parse(output)
  return join(folder, filename)
}

export interface Project {
  folder: string
  /** Runs a file of the project by Node and returns what it printed; throws on anything on stderr. */
  run(file: string, text: string): string
  write(file: string, text: string): void
  remove(): void
}

/** An empty project with the tarball installed and nothing else. */
export function installInto(tarball: string, name: string): Project {
  const folder = mkdtempSync(join(tmpdir(), `stowage-${name}-`))
  const write = (file: string, text: string) => {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), text)
  }
  write('package.json', JSON.stringify({ name, private: true }))
  npm(['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', tarball], folder)
  return {
    folder,
    write,
    run: (file, text) => {
      write(file, text)
      return runSilently(process.execPath, [file], folder)
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** Makes packages of this checkout resolvable from the project, as if they were installed there. */
export function linkPackages(project: Project, names: readonly string[]): void {
  for (const name of names) {
    const link = join(project.folder, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), link, 'dir')
  }
}

function npm(args: readonly string[], cwd: string): string {
  return execFileSync('npm', args, { ...spawnOptions(cwd), stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Fails where the program prints a warning, which a user would see too. */
function runSilently(command: string, args: readonly string[], cwd: string): string {
  const script = `"$@" 2>stderr.txt || { cat stderr.txt >&2; exit 1; }`
  const output = execFileSync('sh', ['-c', script, 'sh', command, ...args], spawnOptions(cwd))
  const warnings = readFileSync(join(cwd, 'stderr.txt'), 'utf8')
  if (warnings) throw new Error(`${args.join(' ')} prints a warning: ${warnings}`)
  return output
}

/** Without what `npm test` and vitest put into the environment, so that the project stands for itself. */
function spawnOptions(cwd: string): ExecFileSyncOptionsWithStringEncoding {
  const ours =
    /^(npm_(?!config_(cache|registry|userconfig|globalconfig)$)|INIT_CWD$|NODE_|VITEST|TEST$|STOWAGE_)/
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)))
  return { cwd, env, encoding: 'utf8' }
}

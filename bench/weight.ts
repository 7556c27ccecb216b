/** What importing and installing costs: gzip of the core entry, cold start, packages and bytes of a bare install. */
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { type Spread, spread } from './spread.ts'

const run = promisify(execFile)
const here = fileURLToPath(new URL('.', import.meta.url))

export interface WeightResult {
  /** Kilobytes (1,000) of the core entry, bundled with what it imports at once, minified, gzip -9. */
  coreGzipKilobytes: { stowage: number; 'files-sdk': number }
  /** Milliseconds that a fresh process takes to import the entry, above one that imports nothing. */
  coldImportMs: { stowage: Spread; 'files-sdk': Spread }
  install: { stowage: InstallSize; 'files-sdk': InstallSize }
}

export interface InstallSize {
  megabytes: number
  packages: number
}

export async function benchWeight(rounds: number): Promise<WeightResult> {
  const entries = {
    stowage: join(here, '../dist/index.js'),
    'files-sdk': fileURLToPath(import.meta.resolve('files-sdk')),
  }
  return {
    coreGzipKilobytes: {
      stowage: await gzipSize(entries.stowage),
      'files-sdk': await gzipSize(entries['files-sdk']),
    },
    coldImportMs: await coldImports(entries, rounds),
    install: {
      stowage: await installSize(await packed()),
      'files-sdk': await installSize('files-sdk@2.6.0'),
    },
  }
}

async function gzipSize(entry: string): Promise<number> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    splitting: true,
    outdir: 'out',
    format: 'esm',
    platform: 'node',
    logLevel: 'silent',
  })
  // What is behind a dynamic import lies in chunks of its own and is not what an importer pays for.
  const main = outputFiles.find(file => file.path.endsWith('index.js'))!
  const statically = new Set([main.path])
  for (const path of statically) {
    const text = outputFiles.find(file => file.path === path)?.text ?? ''
    for (const [, name] of text.matchAll(/(?:from|import)\s*"\.\/([^"]+)"/g))
      statically.add(join(main.path, '..', name!))
  }
  const code = outputFiles.filter(file => statically.has(file.path)).map(file => file.contents)
  return gzipSync(Buffer.concat(code), { level: 9 }).length / 1000
}

async function coldImports(entries: { stowage: string; 'files-sdk': string }, rounds: number) {
  const folder = await mkdtemp(join(tmpdir(), 'stowage-bench-'))
  const once = async (name: string, code: string) => {
    const script = join(folder, `${name}.mjs`)
    await writeFile(script, code)
    const start = performance.now()
    await run(process.execPath, [script])
    return performance.now() - start
  }
  const samples = { stowage: [] as number[], 'files-sdk': [] as number[] }
  try {
    for (let round = -1; round < rounds; round++) {
      const empty = await once('empty', '')
      for (const name of ['stowage', 'files-sdk'] as const) {
        const above = (await once(name, `import ${JSON.stringify(entries[name])}`)) - empty
        if (round >= 0) samples[name].push(above)
      }
    }
  } finally {
    await rm(folder, { recursive: true })
  }
  return { stowage: spread(samples.stowage), 'files-sdk': spread(samples['files-sdk']) }
}

async function packed(): Promise<string> {
  const { stdout } = await run(
    'npm',
    ['pack', '--json', '--ignore-scripts', '--pack-destination', tmpdir()],
    { cwd: join(here, '..') },
  )
  return join(tmpdir(), JSON.parse(stdout)[0].filename)
}

async function installSize(spec: string): Promise<InstallSize> {
  const folder = await mkdtemp(join(tmpdir(), 'stowage-bench-'))
  try {
    await writeFile(join(folder, 'package.json'), '{"private":true}')
    await run('npm', ['install', '--omit=optional', '--no-audit', '--no-fund', '--ignore-scripts', spec], {
      cwd: folder,
    })
    const { stdout } = await run('npm', ['ls', '--all', '--parseable'], { cwd: folder }).catch(
      error => error as { stdout: string },
    )
    return {
      megabytes: (await folderSize(join(folder, 'node_modules'))) / 1e6,
      packages: stdout.trim().split('\n').length - 1,
    }
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function folderSize(folder: string): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath ?? entry.path, entry.name))).size
  }
  return bytes
}

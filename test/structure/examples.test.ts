/**
 * Type-checks every example of the docstrings and the documents against the sources.
 *
 * Why: an example is what a newcomer copies; nobody notices when a renamed option makes it wrong.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { readGuide } from '../docs/guide.ts'

const root = resolve(import.meta.dirname, '../..')

const ENTRIES: Record<string, string> = {
  stowage: 'src/index.ts',
  'stowage/open': 'src/open.ts',
  'stowage/s3': 'src/adapters/s3/index.ts',
  'stowage/supabase': 'src/adapters/supabase/index.ts',
  'stowage/local': 'src/adapters/local/index.ts',
  'stowage/memory': 'src/adapters/memory.ts',
  'stowage/decorators': 'src/decorators/index.ts',
  'stowage/server': 'src/server/index.ts',
  'stowage/conformance': 'src/conformance/index.ts',
  'stowage/driver': 'src/driver.ts',
  'stowage/cdn': 'src/cdn/index.ts',
  'stowage/sqlite': 'src/sql/sqlite/index.ts',
  'stowage/postgres': 'src/sql/postgres/index.ts',
  'stowage/rqlite': 'src/sql/rqlite/index.ts',
  'stowage/records': 'src/records/index.ts',
  'stowage/cache': 'src/cache/index.ts',
  'stowage/imgproxy': 'src/images/imgproxy/index.ts',
  'stowage/images': 'src/images/index.ts',
  'stowage/browser': 'src/browser/index.ts',
  'stowage/migrate': 'src/migrate/index.ts',
  'stowage/lifecycle': 'src/lifecycle/index.ts',
}

/** What an example may use without saying where it comes from: what its reader has already. */
const READERS_OWN = `
import type { Readable, Writable } from 'node:stream'
import type { S3Client as Client } from '@aws-sdk/client-s3'
import type { SupabaseClient } from '@supabase/supabase-js'
import type { RangeSource, StorageProvider as Provider } from 'stowage'
import type { ConformanceContext } from 'stowage/conformance'
import type { Driver } from 'stowage/driver'
import type { S3Options } from 'stowage/s3'
import type { Engine } from 'stowage/records'
import type { UrlSigning } from 'stowage/server'
import type { Database } from 'better-sqlite3'
import type { Redis } from 'ioredis'
import type { SignedUrlCache } from 'stowage/cache'
import type { Imgproxy } from 'stowage/imgproxy'
declare global {
  const files: Provider
  const stream: Readable
  const source: RangeSource
  const response: Writable
  const svg: string
  const expected: string
  const url: string
  const key: string
  const client: Client
  const supabaseClient: SupabaseClient
  const options: S3Options
  const signing: UrlSigning
  const context: ConformanceContext
  const log: { info(event: object): void }
  const engine: Engine
  const db: Database
  const body: Readable
  const photo: Uint8Array
  const bytes: Uint8Array
  const images: Imgproxy
  const etag: string
  const library: string
  const reel: string
  const redis: Redis
  const store: Provider
  const cache: SignedUrlCache
  interface TapeOptions { reel: string }
  interface TapeDriver extends Driver {}
  const TapeDriver: new (options: TapeOptions) => Driver
}
`

/** The same of a page's script. */
const PAGES_OWN = `
import type { Texture as PixiTexture } from 'pixi.js'
import type { SignedUpload } from 'stowage'
declare global {
  const Texture: typeof PixiTexture
  const file: File
  const input: HTMLInputElement & { files: FileList }
  const image: HTMLImageElement & { blurhash: string; thumbUrl: string; url: string }
  const element: HTMLImageElement
  const canvas: HTMLCanvasElement
  const context: CanvasRenderingContext2D
  const bar: HTMLProgressElement
  const blurhash: string
  const hash: string
  function askBackend(wish: object): Promise<SignedUpload>
}
`

/** A third party's adapter. */
const TAPE = `
import type { StorageProvider } from 'stowage'
import type { CreateOptions } from 'stowage/conformance'
export declare function tape(options: CreateOptions & { reel?: string }): StorageProvider
`

/** Imports that a docstring leaves out, by the name that it uses. Its own module's exports are added to these. */
const WELL_KNOWN: Record<string, string> = {
  http: "import * as http from 'node:http'",
  createReadStream: "import { createReadStream } from 'node:fs'",
  S3Client: "import { S3Client } from '@aws-sdk/client-s3'",
  createClient: "import { createClient } from '@supabase/supabase-js'",
  createServer: "import { createServer } from 'node:http'",
  app: "import express from 'express'; const app = express()",
  it: "import { it } from 'vitest'",
  Pool: "import { Pool } from 'pg'",
  Counter: "import { Counter } from 'prom-client'",
  ulid: "import { ulid } from 'ulid'",
  tape: "import { tape } from '../src/tape.ts'",
  StorageProvider: "import type { StorageProvider } from 'stowage'",
  UploadedPart: "import type { UploadedPart } from 'stowage'",
  attachment: "import { attachment } from '../src/core/content-disposition.ts'",
}

interface Example {
  /** `docs/s3.md:7` */
  readonly place: string
  readonly file: string
  readonly text: string
}

const examples = [...documents(), ...docstrings()]
const wrong = example('wrong', "files.info('a', { ifMach: 'etag' })")
const problems = check([...examples, wrong])

/** What a page does has the DOM's types around it, and its own names first. */
function isPage({ place }: Pick<Example, 'place'>): boolean {
  return /^(src\/browser\/|src\/images\/blurhash\/|docs\/browser\.md)/.test(place)
}

describe('the examples', () => {
  test.each(examples)('$place has the right types', ({ file }) => {
    expect(problems(file)).toEqual([])
  })

  test('are found in documents and docstrings', () => {
    expect(examples.some(one => one.place.startsWith('README.md:'))).toBe(true)
    expect(examples.some(one => one.place.startsWith('src/adapters/memory.ts:'))).toBe(true)
  })

  test('with a misspelt option are found out', () => {
    expect(problems(wrong.file)).toHaveLength(1)
  })
})

function documents(): Example[] {
  const pages = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
  const paths = ['README.md', 'CONTRIBUTING.md', 'ARCHITECTURE.md', ...pages.map(page => join('docs', page))]
  return paths
    .filter(path => path.endsWith('.md'))
    .flatMap(path =>
      path.startsWith('docs/guides/') ? programs(path) : blocks(path, /^```ts\n([\s\S]*?)^```$/gm),
    )
}

function docstrings(): Example[] {
  return readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.ts'))
    .flatMap(path => blocks(join('src', path), /^ *\* ```ts\n([\s\S]*?)^ *\* ```$/gm))
    .map(example => {
      const text = example.text.replace(/^ *\* ?/gm, '').replaceAll('{ … }', '{}')
      return { ...example, text: filesOf(example, text) + importsFor(example, text) + wrapped(text) }
    })
}

/** The files of a guide stand beside each other in a folder of their own, so that they can import each other. */
function programs(path: string): Example[] {
  const folder = join(root, 'test/.example-guides', basename(path, '.md'))
  const files = new Map<string, Example>()
  const replaced: Example[] = []
  for (const step of readGuide(path, readFileSync(join(root, path), 'utf8')).steps) {
    if (step.kind !== 'file' || !step.name.endsWith('.ts')) continue
    const file = join(folder, step.name)
    const before = files.get(file)
    if (before && !step.goesOn)
      replaced.push({ ...before, file: file.replace(/\.ts$/, `.${replaced.length}.ts`) })
    const begun = step.goesOn ? before?.text : ''
    files.set(file, { place: `${path}:${step.line}`, file, text: begun + step.text })
  }
  return [...files.values(), ...replaced]
}

/** What the docstrings of the records call files are files with records. */
function filesOf({ place }: Example, text: string): string {
  return place.startsWith('src/records/') && !/\bconst files\b/.test(text)
    ? "declare const files: import('stowage/records').RecordedFiles\n"
    : ''
}

function blocks(path: string, pattern: RegExp): Example[] {
  const page = readFileSync(join(root, path), 'utf8')
  return [...page.matchAll(pattern)].map(match =>
    example(`${path}:${page.slice(0, match.index).split('\n').length}`, match[1]!),
  )
}

/** The files stand in memory only, below `test`, as an example of the kit does. */
function example(place: string, text: string): Example {
  return { place, file: join(root, `test/.example-${place.replaceAll(/[^\w]+/g, '-')}.ts`), text }
}

/** One that returns is the inside of a function. */
function wrapped(text: string): string {
  return /^ +.*\breturn\b/m.test(text) ? `async () => {\n${text}}\n` : text
}

function importsFor({ place }: Example, text: string): string {
  const used = (name: string) =>
    new RegExp(`\\b${name}\\b`).test(text) && !new RegExp(`(const|as|import \\{.*) ${name}\\b`).test(text)
  const lines = new Map(Object.entries(WELL_KNOWN).filter(([name]) => used(name)))
  // A name that two entries export is that of the example's own, or of the one that is named first.
  const entries = Object.entries(ENTRIES)
  const own = entries.filter(([, path]) => place.startsWith(path.replace(/index\.ts$/, '')))
  for (const [entry, path] of [...own, ...entries]) {
    for (const name of exportedFunctions(path))
      if (used(name) && !lines.has(name)) lines.set(name, `import { ${name} } from '${entry}'`)
  }
  return [...lines.values()].map(line => `${line}\n`).join('')
}

function exportedFunctions(path: string): string[] {
  const source = readFileSync(join(root, path), 'utf8')
  const named = [...source.matchAll(/^export \{([^}]*)\}/gm)].flatMap(match => match[1]!.split(','))
  const declared = [...source.matchAll(/^export (?:async )?(?:function|class|const) (\w+)/gm)]
  return [...named.map(name => name.trim()), ...declared.map(match => match[1]!)].filter(name =>
    /^\w+$/.test(name),
  )
}

/** Checks all texts, those of pages by themselves; the answer gives the complaints about one of them. */
function check(texts: readonly Example[]): (file: string) => string[] {
  const ofPages = program(texts.filter(isPage), PAGES_OWN, ['DOM', 'DOM.Iterable'])
  const others = program(
    texts.filter(text => !isPage(text)),
    READERS_OWN,
  )
  const pages = new Set(texts.filter(isPage).map(({ file }) => file))
  return file => (pages.has(file) ? ofPages : others)(file)
}

/** Checks texts as one program. */
function program(
  texts: readonly Example[],
  readersOwn: string,
  libraries: readonly string[] = [],
): (file: string) => string[] {
  const readers = join(root, 'test/.example-readers.ts')
  const tape = join(root, 'src/tape.ts')
  const virtual = new Map([
    ...texts.map(({ file, text }) => [file, `${text}\nexport {}\n`] as const),
    [readers, readersOwn] as const,
    [tape, TAPE] as const,
  ])
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, root)
  const paths = Object.fromEntries(
    Object.entries(ENTRIES).map(([entry, path]) => [entry, [join(root, path)]]),
  )
  const settings: ts.CompilerOptions = {
    ...options,
    lib: [...options.lib!, ...libraries.map(name => `lib.${name.toLowerCase()}.d.ts`)],
    noUnusedLocals: false,
    noUnusedParameters: false,
    paths,
  }
  const host = ts.createCompilerHost(settings)
  const { fileExists, readFile, directoryExists } = host
  host.directoryExists = name => name.startsWith(join(root, 'test/.example-guides')) || directoryExists!(name)
  host.fileExists = name => virtual.has(name) || fileExists(name)
  host.readFile = name => virtual.get(name) ?? readFile(name)
  const checked = ts.createProgram([...virtual.keys()], settings, host)
  return file => {
    const source = checked.getSourceFile(file)
    return [...checked.getSyntacticDiagnostics(source), ...checked.getSemanticDiagnostics(source)].map(
      ({ messageText, start = 0 }) => {
        const line = source!.getLineAndCharacterOfPosition(start).line
        const text = source!.text.split('\n')[line]
        return `${text}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
      },
    )
  }
}

import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkImports } from '../../scripts/check-imports.js'

const root = resolve(import.meta.dirname, '../..')
let project: string

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'stowage-imports-'))
  cpSync(join(root, 'package.json'), join(project, 'package.json'))
  plant('src/core/keys.ts', 'export const keys = 1\n')
  plant('src/adapters/local/index.ts', "import '../../core/keys.ts'\nexport const local = 1\n")
  plant('src/decorators/index.ts', "export * from './retry.ts'\n")
  plant('src/decorators/retry.ts', "import './delay.ts'\n")
  plant('src/decorators/delay.ts', 'export {}\n')
  plant('src/cli/main.ts', "import '../open.ts'\nimport 'commander'\n")
  plant('src/open.ts', "export const open = () => import('./adapters/local/index.ts')\n")
})

afterEach(() => rmSync(project, { recursive: true, force: true }))

function plant(path: string, text: string): void {
  mkdirSync(dirname(join(project, path)), { recursive: true })
  writeFileSync(join(project, path), text)
}

function problems(folder: string): string[] {
  return checkImports(folder).problems
}

const refused: { what: string; path: string; text: string; complaint: string }[] = [
  {
    what: 'core that imports an adapter',
    path: 'src/core/download.ts',
    text: "import '../adapters/local/index.ts'",
    complaint: 'src/core/download.ts:1: core imports nothing of ours, not adapters/local',
  },
  {
    what: 'core that imports an adapter as a type',
    path: 'src/core/download.ts',
    text: "\nexport type X = import('../adapters/local/index.ts').X",
    complaint: 'src/core/download.ts:2: core imports nothing of ours',
  },
  {
    what: 'an adapter that imports another',
    path: 'src/adapters/s3/index.ts',
    text: "export * from '../local/index.ts'",
    complaint: 'adapters/s3 must not import adapters/local',
  },
  {
    what: 'an adapter that imports a decorator',
    path: 'src/adapters/memory.ts',
    text: "import '../decorators/retry.ts'",
    complaint: 'adapters/memory must not import decorators/retry',
  },
  {
    what: 'a decorator that imports an adapter',
    path: 'src/decorators/limit.ts',
    text: "const x = () => import('../adapters/local/index.ts')",
    complaint: 'decorators/limit must not import adapters/local',
  },
  {
    what: 'a decorator that imports another',
    path: 'src/decorators/limit.ts',
    text: "import './retry.ts'",
    complaint: 'decorators/limit must not import decorators/retry',
  },
  {
    what: 'a part that composes',
    path: 'src/server/index.ts',
    text: "import '../open.ts'",
    complaint: 'server must not import open',
  },
  {
    what: 'open that loads an adapter before it is asked for',
    path: 'src/open.ts',
    text: "import { local } from './adapters/local/index.ts'",
    complaint: 'open imports adapters/local only when it is asked for: use import()',
  },
  {
    what: 'an optional peer imported at run time',
    path: 'src/adapters/s3/index.ts',
    text: "import { S3Client } from '@aws-sdk/client-s3'",
    complaint: '@aws-sdk/client-s3 is an optional peer: use import type',
  },
  {
    what: 'an import of only types that stays at run time',
    path: 'src/adapters/s3/index.ts',
    text: "import { type S3Client } from '@aws-sdk/client-s3'",
    complaint: '@aws-sdk/client-s3 is an optional peer: use import type',
  },
  {
    what: "a vendor's library outside its folder, be it a type",
    path: 'src/adapters/supabase/index.ts',
    text: "\nimport type { Agent } from 'undici'",
    complaint: 'src/adapters/supabase/index.ts:2: undici belongs to adapters/s3 only',
  },
  {
    what: 'a library of the program outside the program',
    path: 'src/server/index.ts',
    text: "import 'commander'",
    complaint: 'commander belongs to cli only',
  },
  {
    what: 'a package that nobody installs',
    path: 'src/server/index.ts',
    text: "import 'hono'",
    complaint: 'hono is neither a dependency nor an optional peer',
  },
  {
    what: "a module of Node's without its prefix",
    path: 'src/server/index.ts',
    text: "import 'fs'",
    complaint: 'write node:fs',
  },
  {
    what: 'an import from outside src',
    path: 'src/server/index.ts',
    text: "import '../../test/support/tools.ts'",
    complaint: '../../test/support/tools.ts is outside src',
  },
  {
    what: 'an import without its extension',
    path: 'src/server/index.ts',
    text: "import '../core/keys'",
    complaint: '../core/keys is not there',
  },
  {
    what: 'a file past 400 lines',
    path: 'src/server/index.ts',
    text: '// line\n'.repeat(401),
    complaint: 'src/server/index.ts: 401 lines; past 400 something else lives here',
  },
  {
    what: 'a name that says nothing',
    path: 'src/server/http-utils.ts',
    text: '',
    complaint: 'src/server/http-utils.ts: this name says nothing',
  },
  {
    what: 'a folder of tests whose name says nothing',
    path: 'test/helpers/server.ts',
    text: '',
    complaint: 'test/helpers/server.ts: this name says nothing',
  },
]

describe('the import rules', () => {
  test('hold in this project', () => {
    expect(problems(root)).toEqual([])
  })

  test('let through what is allowed', () => {
    expect(problems(project)).toEqual([])
  })

  test.each(refused)('refuse $what', ({ path, text, complaint }) => {
    plant(path, text)
    expect(problems(project)).toEqual([expect.stringContaining(complaint)])
  })

  test('refuse an optional peer that no folder owns', () => {
    plant('package.json', JSON.stringify({ peerDependencies: { memcached: '>=2' } }))
    expect(problems(project)).toContainEqual(
      expect.stringContaining('the optional peer memcached has no home'),
    )
  })
})

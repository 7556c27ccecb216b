/**
 * Finds the programs that tests run against. The order: the environment variable that names one, PATH, the cache
 * outside the checkout, and `go install` into that cache where Go is there (install-tool.ts).
 */
import { accessSync, constants, readdirSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'

export interface Tool {
  /** The environment variable that names the program, absolute or relative to the working directory. */
  variable: string
  /** File names looked for on PATH and in the cache, the preferred one first. */
  files: readonly string[]
  /** Package and version for `go install`. */
  goPackage?: string
  /** Folders looked into after PATH; `*` stands for one name, the highest number first. */
  folders?: readonly string[]
  /** Debian package, for the sentence that says what is missing. */
  debian?: string
}

export const TOOLS = {
  minio: {
    variable: 'MINIO',
    files: ['minio'],
    goPackage: 'github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c',
  },
  versitygw: {
    variable: 'VERSITYGW',
    files: ['versitygw'],
    goPackage: 'github.com/versity/versitygw/cmd/versitygw@v1.8.0',
  },
  chromium: {
    variable: 'CHROMIUM',
    files: ['chromium', 'chromium-browser', 'google-chrome'],
    debian: 'chromium',
  },
  'redis-server': { variable: 'REDIS_SERVER', files: ['redis-server'], debian: 'redis-server' },
  postgres: {
    variable: 'POSTGRES',
    files: ['postgres'],
    // Debian leaves the server's programs out of PATH.
    folders: ['/usr/lib/postgresql/*/bin'],
    debian: 'postgresql',
  },
  rqlited: { variable: 'RQLITED', files: ['rqlited'] },
  rclone: { variable: 'RCLONE', files: ['rclone'], goPackage: 'github.com/rclone/rclone@v1.76.0' },
  go: { variable: 'GO', files: ['go'], debian: 'golang-go' },
} as const satisfies Record<string, Tool>

export type ToolName = keyof typeof TOOLS

/** Where built and downloaded programs are kept between runs; never inside the checkout. */
export function toolCache(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'stowage-tools', 'bin')
}

/** The path of the program, or undefined. @throws when the environment variable names something that can't run */
export function findTool(name: ToolName): string | undefined {
  const tool: Tool = TOOLS[name]
  const named = process.env[tool.variable]
  if (named) {
    if (!isExecutable(named)) throw new Error(`${tool.variable}=${named} is not a program that can be run`)
    return named
  }
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean)
  const others = (tool.folders ?? []).flatMap(matchingFolders)
  for (const folder of [...folders, ...others, toolCache()]) {
    for (const file of tool.files) {
      const path = join(folder, file)
      if (isExecutable(path)) return path
    }
  }
  return undefined
}

/** One sentence for a test that can't run without the program. */
export function missingTool(name: ToolName): string {
  const tool: Tool = TOOLS[name]
  const other = tool.debian ? `install the package ${tool.debian}` : 'install Go, which builds it'
  return `${name} is not here: name one with ${tool.variable}=/path, or ${other}`
}

/** True where the environment asks that nothing a registry can give is missing. */
export function everythingIsRequired(): boolean {
  return process.env.STOWAGE_TEST_REQUIRE === 'all'
}

function matchingFolders(pattern: string): string[] {
  const [before, after = ''] = pattern.split('*')
  try {
    const names = readdirSync(before!).sort((a, b) => Number(b) - Number(a))
    return names.map(name => `${before}${name}${after}`)
  } catch {
    return []
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

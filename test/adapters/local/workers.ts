import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll } from 'vitest'

/** Processes that work on a root. Call it once in a test file, outside of tests. */
export function theWorkers() {
  let folder: string
  const running = new Set<ChildProcess>()
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'stowage-worker-'))
    await build({
      entryPoints: [join(import.meta.dirname, 'worker.ts')],
      outfile: join(folder, 'worker.mjs'),
      bundle: true,
      platform: 'node',
      format: 'esm',
      logLevel: 'error',
    })
  })
  afterAll(() => {
    for (const child of running) child.kill('SIGKILL')
    rmSync(folder, { recursive: true })
  })

  function start(job: string, root: string, argument: unknown, command: readonly string[] = []) {
    const text = typeof argument === 'object' ? JSON.stringify(argument) : String(argument)
    const [program, ...args] = [...command, process.execPath, join(folder, 'worker.mjs'), job, root, text]
    const child = spawn(program!, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    running.add(child)
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', chunk => {
      stdout += chunk
    })
    child.stderr.on('data', chunk => {
      stderr += chunk
    })
    const ended = new Promise<{ signal: string | null; answer: unknown; stderr: string }>(
      (resolve, reject) => {
        child.on('error', reject)
        child.on('close', (_, signal) => {
          running.delete(child)
          try {
            resolve({ signal, stderr, answer: stdout === '' ? undefined : JSON.parse(stdout) })
          } catch (error) {
            reject(error)
          }
        })
      },
    )
    return { child, ended }
  }

  return {
    start,
    async run<Answer>(job: string, root: string, argument: unknown): Promise<Answer> {
      const { answer, stderr } = await start(job, root, argument).ended
      if (answer === undefined) throw new Error(`the worker failed: ${stderr}`)
      return answer as Answer
    },
  }
}

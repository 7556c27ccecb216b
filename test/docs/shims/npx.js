/** Stands for npx while a guide is tried: runs what is installed, and never asks a registry for what is not. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

const [name = '', ...args] = process.argv.slice(2)
const program = resolve('node_modules/.bin', name)
if (!existsSync(program)) {
  console.error(`npx: ${name} is not installed in ${process.cwd()}`)
  process.exit(1)
}
const { status, signal } = spawnSync(process.execPath, [program, ...args], { stdio: 'inherit' })
if (signal !== null) process.kill(process.pid, signal)
process.exit(status ?? 1)

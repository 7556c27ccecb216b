import { writeFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import * as nodeModule from 'node:module'
import { expect, it } from 'vitest'
import { theProgram } from './program-process.ts'

const { run, at } = theProgram()
/** Node 22.8 and later. */
const canKeep = 'enableCompileCache' in nodeModule

it('keeps its compiled code among the caches of the user, where Node can', async () => {
  for (const _ of ['first', 'again'])
    expect(await run(['--version'], { env: { XDG_CACHE_HOME: at('caches') } })).toMatchObject({
      code: 0,
      stderr: '',
    })
  const kept = await readdir(at('caches/stowage/compiled'), { recursive: true }).catch(() => [])
  expect(kept.length > 1).toBe(canKeep)
})

it('keeps it in the folder of HOME where no other is named', async () => {
  expect((await run(['--version'], { env: { HOME: at('home') } })).code).toBe(0)
  const kept = await readdir(at('home/.cache/stowage/compiled'), { recursive: true }).catch(() => [])
  expect(kept.length > 1).toBe(canKeep)
})

it('runs where nothing can be kept', async () => {
  writeFileSync(at('a-file'), '')
  const { code, stdout, stderr } = await run(['--version'], { env: { XDG_CACHE_HOME: at('a-file') } })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/^\d+\.\d+\.\d+/)
})

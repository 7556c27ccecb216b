import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { missingPlatformPackages } from '../../scripts/complete-lock-file.js'

const root = resolve(import.meta.dirname, '../..')
const text = readFileSync(join(root, 'package-lock.json'), 'utf8')

test('the lock file names no download address, so that any registry can serve it', () => {
  expect(text.match(/"resolved": .*/g)).toBeNull()
})

test('the lock file holds every platform package, so that npm ci works on each of them', () => {
  expect(missingPlatformPackages(JSON.parse(text)).map(({ key }) => key)).toEqual([])
})

test('a platform package that is missing is found', () => {
  const lock = {
    packages: {
      'node_modules/tool': {
        version: '1.0.0',
        dev: true,
        optionalDependencies: { 'tool-linux-x64': '1.0.0' },
      },
    },
  }
  expect(missingPlatformPackages(lock)).toEqual([
    { key: 'node_modules/tool-linux-x64', version: '1.0.0', dev: true },
  ])
})

/**
 * `npm run build:quick && tsx bench/registry/run.ts`: downloads of examples/plugin-registry through its redirect, against
 * the same server passing the bytes on. Writes bench/results/registry.json and registry.svg; `--quick` writes nothing.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startMinio } from '../../test/support/minio.ts'
import { findTool, missingTool } from '../../test/support/tools.ts'
import { isQuick, runParts } from '../run-parts.ts'
import type { Scale } from '../section.ts'
import { benchDownloads } from './downloads.ts'

const SCALE: Scale = { rounds: isQuick ? 1 : 7, seconds: isQuick ? 0.2 : 2, quick: isQuick }

const folder = mkdtempSync(join(tmpdir(), 'stowage-bench-registry-'))
try {
  await runParts({
    name: 'registry',
    scale: SCALE,
    labelWidth: 320,
    parts: {
      async downloads() {
        const command = findTool('minio')
        if (command === undefined) return { missing: missingTool('minio') }
        const minio = await startMinio(command)
        try {
          return await benchDownloads(minio, folder, SCALE)
        } finally {
          await minio.stop()
        }
      },
    },
  })
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/**
 * `npm run bench:migrate`: migrations between two MinIOs against rclone 1.76.0, with its defaults and with the best flags of
 * a grid. Prints tables and writes bench/results/migrate.json and migrate.svg.
 *
 * `--quick` does a little of everything and writes nothing: it tries the bench itself. `--only=small,again` runs some of
 * `small`, `again`, `large`, and writes nothing either. `--rounds=3` is for those who have no half an hour; default 5.
 */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findOrInstallTool } from '../../test/support/install-tool.ts'
import { missingTool } from '../../test/support/tools.ts'
import { isQuick, type Part, runParts } from '../run-parts.ts'
import type { Scale } from '../section.ts'
import { removeDatabases } from './copies.ts'
import { benchFinishedAgain } from './finished-again.ts'
import { benchLargeObjects } from './large-objects.ts'
import { rcloneVersion } from './rclone.ts'
import { benchSmallObjects } from './small-objects.ts'
import { type TwoStores, twoStores } from './two-stores.ts'

/** A round is a whole migration: it lasts as long as it lasts. */
const SCALE: Scale = { rounds: isQuick ? 1 : roundsAsked(), seconds: 0, quick: isQuick }

function roundsAsked(): number {
  const asked = process.argv.find(argument => argument.startsWith('--rounds='))
  return asked === undefined ? 5 : Number(asked.slice('--rounds='.length))
}

async function main(): Promise<void> {
  const minio = await findOrInstallTool('minio', line => console.log(line))
  const rclone = await findOrInstallTool('rclone', line => console.log(line))
  const folder = mkdtempSync(join(tmpdir(), 'stowage-bench-migrate-'))
  const missing = minio === undefined ? missingTool('minio') : missingTool('rclone')
  const part =
    (run: (stores: TwoStores, rclone: string) => ReturnType<Part>): Part =>
    async () => {
      if (minio === undefined || rclone === undefined) return { missing }
      const stores = await twoStores(minio)
      try {
        return await run(stores, rclone)
      } finally {
        await stores.stop()
      }
    }
  try {
    await runParts({
      name: 'migrate',
      scale: SCALE,
      labelWidth: 520,
      machine: { rclone: rclone && rcloneVersion(rclone) },
      about: rclone && `, rclone ${rcloneVersion(rclone)}`,
      parts: {
        small: part((stores, program) => benchSmallObjects(stores, program, folder, SCALE)),
        again: part(async (stores, program) => [await benchFinishedAgain(stores, program, folder, SCALE)]),
        large: part(async (stores, program) => [await benchLargeObjects(stores, program, folder, SCALE)]),
      },
    })
  } finally {
    removeDatabases(folder)
  }
}

await main()

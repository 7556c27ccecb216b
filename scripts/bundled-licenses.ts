/**
 * Writes the licences of the packages that the bundle holds.
 *
 * Why: the libraries of the program are bundled, so that a bare install does not bring them as packages; their
 * licences ask that their text goes wherever their code goes.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Plugin } from 'esbuild'

const PACKAGE_FOLDER = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//
const LICENSE_FILE = /^(licen[cs]e|copying|notice)/i

export function bundledLicenses(outFile: string): Plugin {
  return {
    name: 'bundled-licenses',
    setup(build) {
      build.initialOptions.metafile = true
      build.onEnd(({ metafile }) => {
        const folders = new Set<string>()
        for (const path of Object.keys(metafile?.inputs ?? {})) {
          const folder = PACKAGE_FOLDER.exec(path)?.[1]
          if (folder) folders.add(folder)
        }
        if (folders.size === 0) return
        mkdirSync(dirname(outFile), { recursive: true })
        writeFileSync(outFile, [...folders].sort().map(licenseOf).join('\n\n'))
      })
    },
  }
}

function licenseOf(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const texts = readdirSync(folder)
    .filter(file => LICENSE_FILE.test(file))
    .sort()
    .map(file => readFileSync(join(folder, file), 'utf8').trim())
  if (texts.length === 0) throw new Error(`${name} would be bundled, but it has no licence file to keep`)
  return `${name} ${version} (${license})\n\n${texts.join('\n\n')}\n`
}

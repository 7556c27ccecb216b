import { rmSync } from 'node:fs'
import { defineConfig, type Options } from 'tsup'
import { bundledLicenses } from './scripts/bundled-licenses.ts'
import { requiredBuiltins } from './scripts/required-builtins.ts'

const entries = {
  index: 'src/index.ts',
  open: 'src/open.ts',
  s3: 'src/adapters/s3/index.ts',
  supabase: 'src/adapters/supabase/index.ts',
  local: 'src/adapters/local/index.ts',
  memory: 'src/adapters/memory.ts',
  decorators: 'src/decorators/index.ts',
  server: 'src/server/index.ts',
  conformance: 'src/conformance/index.ts',
  driver: 'src/driver.ts',
  sqlite: 'src/sql/sqlite/index.ts',
  postgres: 'src/sql/postgres/index.ts',
  rqlite: 'src/sql/rqlite/index.ts',
  records: 'src/records/index.ts',
  cdn: 'src/cdn/index.ts',
  cache: 'src/cache/index.ts',
  imgproxy: 'src/images/imgproxy/index.ts',
  images: 'src/images/index.ts',
  migrate: 'src/migrate/index.ts',
  lifecycle: 'src/lifecycle/index.ts',
}

const page = { browser: 'src/browser/index.ts' }

const program = 'src/cli/main.ts'

export default defineConfig(flags => {
  const outDir = flags.outDir ?? 'dist'
  // The builds below run side by side, so none of them may be the one that empties the folder.
  rmSync(outDir, { recursive: true, force: true })
  const library: Options = {
    outDir,
    entry: entries,
    splitting: true,
    treeshake: true,
    clean: false,
    dts: false,
    target: 'node20',
    platform: 'node',
    removeNodeProtocol: false,
  }
  const modules: Options = {
    ...library,
    format: 'esm',
    entry: { ...entries, cli: program },
    esbuildPlugins: [requiredBuiltins, bundledLicenses(`${outDir}/THIRD-PARTY-LICENSES.txt`)],
  }
  // The same code once more: names stay, for stack traces; line breaks and indentation would be a tenth of the package.
  const commonjs: Options = { ...library, format: 'cjs', minifyWhitespace: true }
  const types: Options = { ...library, format: ['esm', 'cjs'], dts: { only: true } }
  // A build of its own: it must share no chunk with what runs in Node.
  const pageLibrary: Options = {
    outDir,
    entry: page,
    splitting: true,
    treeshake: true,
    clean: false,
    dts: false,
    target: 'es2022',
    platform: 'browser',
    format: ['esm', 'cjs'],
    tsconfig: 'tsconfig.browser.json',
  }
  const pageTypes: Options = { ...pageLibrary, dts: { only: true } }
  return flags.dts === false
    ? [modules, commonjs, pageLibrary]
    : [modules, commonjs, types, pageLibrary, pageTypes]
})

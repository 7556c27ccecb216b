import { defineConfig } from 'tsup'

const entry = {
  index: 'src/index.ts',
  open: 'src/open.ts',
  s3: 'src/adapters/s3/index.ts',
  supabase: 'src/adapters/supabase/index.ts',
  local: 'src/adapters/local/index.ts',
  memory: 'src/adapters/memory.ts',
  decorators: 'src/decorators/index.ts',
  server: 'src/server/index.ts',
  conformance: 'src/conformance/index.ts',
}

export default defineConfig([
  {
    entry,
    format: ['esm', 'cjs'],
    dts: true,
    splitting: true,
    treeshake: true,
    clean: true,
    target: 'node20',
    platform: 'node',
  },
])

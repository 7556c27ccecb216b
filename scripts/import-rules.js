/**
 * Who may import whom in `src/`, as data; `check-imports.js` enforces it.
 *
 * A unit is a folder of `src/`, except in the folders of `SEPARATE`, where every file or folder directly below is a
 * unit of its own. Every unit may import itself, `core`, and the files of its folder that the folder's `index.ts`
 * does not export: those are no members but parts that members share.
 */

/** Folders whose members know nothing of each other. */
export const SEPARATE = ['adapters', 'decorators', 'sql', 'cdn', 'images']

/** The only ones that put parts together. */
export const COMPOSERS = ['open', 'cli']

/** What a unit may import beside `core`. `*` stands for the members of a folder. */
export const MAY_IMPORT = {
  'decorators/*': ['decorators/forward'],
  // A bridge of one decorator to a vendor, not a decorator.
  'decorators/open-telemetry-observer': ['decorators/observe'],
  'sql/*': ['sql/engine'],
  'images/describe': ['images/blurhash', 'decorators/semaphore'],
  'images/image-metadata': ['images/blurhash'],
  'images/with-image-metadata': ['images/describe', 'images/image-metadata', 'decorators/forward'],
  'images/image-urls': ['images/imgproxy', 'images/image-metadata'],
  cache: ['decorators/forward'],
  records: ['decorators/forward', 'sql/engine'],
  migrate: ['decorators/forward', 'records', 'sql/engine'],
  // Of records the kit knows the types only: its tests are handed `withRecords`.
  conformance: ['records', 'sql/engine', 'decorators/forward'],
  browser: ['images/blurhash'],
}

/** The units, nearly always one, that may know a vendor's library. Every optional peer of package.json has its line. */
export const PEER_HOMES = {
  '@aws-sdk/client-s3': 'adapters/s3',
  '@aws-sdk/s3-request-presigner': 'adapters/s3',
  undici: 'adapters/s3',
  '@supabase/supabase-js': 'adapters/supabase',
  'tus-js-client': 'adapters/supabase',
  '@opentelemetry/api': 'decorators/open-telemetry-observer',
  'better-sqlite3': 'sql/sqlite',
  libsql: 'sql/sqlite',
  pg: 'sql/postgres',
  postgres: 'sql/postgres',
  '@electric-sql/pglite': 'sql/postgres',
  '@aws-sdk/client-cloudfront': 'cdn/cloudfront',
  ioredis: ['cache', 'migrate'],
  bullmq: 'migrate',
  // Described on the way in, and served for development: two jobs that share nothing but the library.
  sharp: ['images/describe', 'server'],
}

/** Small libraries of one part: bundled at build, so that a bare install does not bring them and no import loads them. */
export const BUNDLED = {
  commander: 'cli',
  'cli-progress': 'cli',
  ulid: 'records',
  'lru-cache': 'cache',
  picomatch: 'migrate',
}

export const MAX_LINES = 400

/** A function lives with what it knows; these names say nothing of that. */
export const FORBIDDEN_NAME = /(^|[-./])(utils?|helpers?|common|managers?)([-./]|$)/

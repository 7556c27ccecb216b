/** The application's own table. It has versions of its own: add a step to change it, never edit one. */
export const UPGRADES = [
  {
    version: 1,
    creates: ['images'],
    statements: ({ table, types: { text, integer } }) => [
      `CREATE TABLE ${table('images')} (id ${text} PRIMARY KEY, file_key ${text} NOT NULL UNIQUE, user_id ${text} NOT NULL, thread_id ${text} NOT NULL, place ${text} NOT NULL, kind ${text} NOT NULL, alt ${text} NOT NULL, source ${text} NOT NULL, created_at ${integer} NOT NULL)`,
      `CREATE INDEX ${table('images_by_thread')} ON ${table('images')} (thread_id, created_at)`,
      `CREATE INDEX ${table('images_by_place')} ON ${table('images')} (place, created_at)`,
    ],
  },
]

/** `place`: `thread`, `temp` or `feed`. `source`: of an image in the feed, the image that was shared. */
export const TABLE_COLUMNS = [
  'id',
  'file_key',
  'user_id',
  'thread_id',
  'place',
  'kind',
  'alt',
  'source',
  'created_at',
]

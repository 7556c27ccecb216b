import type { Upgrade } from '../../src/records/index.ts'

/** An application's own tables: two steps. */
export const MAILS: readonly Upgrade[] = [
  {
    version: 1,
    creates: ['mails'],
    statements: ({ table, types }) => [
      `CREATE TABLE ${table('mails')} (id ${types.text} PRIMARY KEY, raw ${types.blob} NOT NULL, received ${types.integer} NOT NULL)`,
    ],
  },
  {
    version: 2,
    statements: ({ table, types }) => [
      `ALTER TABLE ${table('mails')} ADD COLUMN score ${types.real}`,
      `CREATE INDEX ${table('mails_received')} ON ${table('mails')} (received)`,
    ],
  },
]

import type { Upgrade, UpgradeContext } from './upgrade-tables.ts'

/** The namespace of the library's own tables. */
export const NAMESPACE = 'stowage'

/** Attributes of a file as columns, in the order in which statements name them. Shared by `files` and `trash`. */
const attributeColumns = ({ types }: UpgradeContext) =>
  [
    `physical ${types.text} NOT NULL`,
    `size ${types.integer} NOT NULL`,
    `content_type ${types.text}`,
    `cache_control ${types.text}`,
    `content_disposition ${types.text}`,
    `content_encoding ${types.text}`,
    `content_language ${types.text}`,
    `storage_class ${types.text}`,
    `metadata ${types.text} NOT NULL`,
    `checksum_algorithm ${types.text}`,
    `checksum_value ${types.text}`,
    `store_etag ${types.text}`,
    `version_id ${types.text}`,
    `adopted ${types.integer} NOT NULL`,
    `created_at ${types.integer} NOT NULL`,
    `modified_at ${types.integer} NOT NULL`,
  ].join(', ')

/**
 * The tables of one record set.
 *
 * - `files`: the records. `live` ones are what readers see; `deleting` ones are hidden, their journal row goes on.
 * - `metadata`: the user's strings once more, one row each, so that they can be found by an index.
 * - `journal`: every effect on bytes that is under way or still owed.
 * - `trash`: deleted files that can be restored.
 * - `retired`: adopted keys whose bytes were deleted: never used again.
 * - `orphans`: objects without a record, as audits saw them.
 * - `handed_out`: URL paths under which a physical key may lie in a CDN.
 * - `leases`: who does what is done by one process at a time.
 * - `settings`: epoch and the like.
 */
export const UPGRADES: readonly Upgrade[] = [
  {
    version: 1,
    creates: [
      'files',
      'metadata',
      'journal',
      'trash',
      'retired',
      'orphans',
      'handed_out',
      'leases',
      'settings',
    ],
    statements(context) {
      const { table, types } = context
      const { text, integer } = types
      return [
        `CREATE TABLE ${table('files')} (key ${text} PRIMARY KEY, generation ${text} NOT NULL, state ${text} NOT NULL, operation ${text}, ${attributeColumns(context)})`,
        `CREATE UNIQUE INDEX ${table('files_physical')} ON ${table('files')} (physical)`,
        `CREATE INDEX ${table('files_operation')} ON ${table('files')} (operation)`,
        `CREATE TABLE ${table('metadata')} (key ${text} NOT NULL, name ${text} NOT NULL, value ${text} NOT NULL, PRIMARY KEY (key, name))`,
        `CREATE INDEX ${table('metadata_value')} ON ${table('metadata')} (name, value, key)`,
        `CREATE TABLE ${table('journal')} (id ${text} PRIMARY KEY, operation ${text} NOT NULL, kind ${text} NOT NULL, state ${text} NOT NULL, key ${text} NOT NULL, physical ${text} NOT NULL, generation ${text}, version_id ${text}, owner ${text} NOT NULL, fence ${integer} NOT NULL, beat ${integer} NOT NULL, due_at ${integer} NOT NULL, attempts ${integer} NOT NULL, refusals ${integer} NOT NULL, answered ${integer} NOT NULL, stuck ${integer} NOT NULL, error ${text}, data ${text} NOT NULL, created_at ${integer} NOT NULL)`,
        `CREATE INDEX ${table('journal_due')} ON ${table('journal')} (stuck, due_at)`,
        `CREATE INDEX ${table('journal_physical')} ON ${table('journal')} (physical)`,
        `CREATE INDEX ${table('journal_operation')} ON ${table('journal')} (operation)`,
        `CREATE TABLE ${table('trash')} (generation ${text} PRIMARY KEY, key ${text} NOT NULL, trashed ${text} NOT NULL, ready ${integer} NOT NULL, deleted_at ${integer} NOT NULL, expires_at ${integer} NOT NULL, ${attributeColumns(context)})`,
        `CREATE INDEX ${table('trash_key')} ON ${table('trash')} (key, deleted_at)`,
        `CREATE UNIQUE INDEX ${table('trash_trashed')} ON ${table('trash')} (trashed)`,
        `CREATE TABLE ${table('retired')} (physical ${text} PRIMARY KEY, at ${integer} NOT NULL)`,
        `CREATE TABLE ${table('orphans')} (physical ${text} PRIMARY KEY, size ${integer} NOT NULL, etag ${text}, seen_at ${integer} NOT NULL)`,
        `CREATE TABLE ${table('handed_out')} (physical ${text} NOT NULL, path ${text} NOT NULL, PRIMARY KEY (physical, path))`,
        `CREATE TABLE ${table('leases')} (name ${text} PRIMARY KEY, holder ${text} NOT NULL, fence ${integer} NOT NULL, beat ${integer} NOT NULL)`,
        `CREATE TABLE ${table('settings')} (name ${text} PRIMARY KEY, value ${text} NOT NULL)`,
        `INSERT INTO ${table('settings')} (name, value) VALUES ('epoch', '1')`,
      ]
    },
  },
]

import type { ColumnTypes, Statement } from '../../sql/engine.ts'

export const CONTROL = 'stowage_cut_overs'
export const PROCESSES = 'stowage_cut_over_processes'
export const OBJECTS = 'stowage_cut_over_objects'
export const UPLOADS = 'stowage_cut_over_uploads'
export const DIFFERENCES = 'stowage_cut_over_differences'

/**
 * The tables of all cut-overs in a database, each row with its cut-over's name.
 *
 * An object's row has a state for each side. Of a live one: `owed`, to be there and not known to be; `held`; `direct`, sent there by a
 * signed upload, and never to be anywhere else; `none`. Of a deleted one (`gone` is 1): `owed`, not known to be gone; `gone`; `none`, was
 * never there. `op` is the last writer's id, `due_at` when the worker looks at it. A row that is absent stands for an object that only the
 * source may have.
 *
 * An upload's row is of a large object that is on its way to a side in parts: with it another process goes on. Its token is a secret.
 */
export function cutOverTables({ text, integer }: ColumnTypes): Statement[] {
  return [
    [
      `CREATE TABLE IF NOT EXISTS ${CONTROL} (name ${text} PRIMARY KEY, phase ${integer} NOT NULL, changes ${integer} NOT NULL, from_location ${text} NOT NULL, to_location ${text} NOT NULL, backfilled_at ${integer}, verification ${text}, dropped ${integer} NOT NULL, created_at ${integer} NOT NULL)`,
    ],
    [
      `CREATE TABLE IF NOT EXISTS ${PROCESSES} (name ${text} NOT NULL, id ${text} NOT NULL, phase ${integer} NOT NULL, beat ${integer} NOT NULL, PRIMARY KEY (name, id))`,
    ],
    [
      `CREATE TABLE IF NOT EXISTS ${OBJECTS} (name ${text} NOT NULL, key ${text} NOT NULL, gone ${integer} NOT NULL, from_state ${text} NOT NULL, to_state ${text} NOT NULL, op ${text} NOT NULL, from_version ${text}, to_version ${text}, due_at ${integer}, attempts ${integer} NOT NULL, error ${text}, PRIMARY KEY (name, key))`,
    ],
    [`CREATE INDEX IF NOT EXISTS ${OBJECTS}_due ON ${OBJECTS} (name, due_at)`],
    [
      `CREATE TABLE IF NOT EXISTS ${UPLOADS} (name ${text} NOT NULL, key ${text} NOT NULL, side ${text} NOT NULL, token ${text} NOT NULL, size ${integer} NOT NULL, etag ${text} NOT NULL, parts ${text} NOT NULL, PRIMARY KEY (name, key, side))`,
    ],
    [
      `CREATE TABLE IF NOT EXISTS ${DIFFERENCES} (name ${text} NOT NULL, key ${text} NOT NULL, kind ${text} NOT NULL, detail ${text} NOT NULL, at ${integer} NOT NULL, PRIMARY KEY (name, key))`,
    ],
  ]
}

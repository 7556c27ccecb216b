export type { TransferOptions } from './file-transfer.ts'
export type { RqliteAuth, RqliteOptions, RqliteTls } from './options.ts'
export { type RqliteEngine, rqlite } from './rqlite.ts'

import type { JobName } from './records-event.ts'

/** An object as the store has it. */
export interface StoredObject {
  /** Its key in the store. */
  readonly physical: string
  readonly size: number
  readonly lastModified?: Date
}

/** A file as its record has it. */
export interface RecordedBytes {
  /** The file's key. */
  readonly key: string
  /** Where the store should have its bytes. */
  readonly physical: string
}

/** One thing that is not as it should be. */
export type AuditFinding =
  /** An object in our own form, or in one of our areas, that no record and no job knows. `collect` removes it. */
  | ({
      readonly kind: 'orphan' /** By the store's clock: when an audit saw it first. */
      readonly seenAt?: Date
    } & StoredObject)
  /** An object that is neither recorded nor of our form: `adopt` makes a file of it. Never removed unless `exclusive`. */
  | ({ readonly kind: 'foreign-object'; readonly seenAt?: Date } & StoredObject)
  /** The marker of another record set below this one's root: its files would look like orphans. Nothing is collected. */
  | { readonly kind: 'foreign-record-set'; readonly physical: string }
  /** A file without bytes, or with `area: 'trash'` a deleted one that can't be restored. Never removed. */
  | ({ readonly kind: 'bytes-missing'; readonly area: 'files' | 'trash' } & RecordedBytes)
  | ({ readonly kind: 'size-differs'; readonly recorded: number; readonly stored: number } & RecordedBytes)
  | ({
      readonly kind: 'checksum-differs'
      readonly recorded: string
      readonly stored: string
    } & RecordedBytes)
  | ({ readonly kind: 'etag-differs'; readonly recorded: string; readonly stored: string } & RecordedBytes)
  /** A key that was set aside for new bytes, by a writer that is silent: `recover` gives it up. */
  | { readonly kind: 'stale-intent'; readonly job: JobName; readonly createdAt: Date }
  /** A job that was tried too often: a person has to look at it, with `stowage doctor`. */
  | { readonly kind: 'stuck-job'; readonly job: JobName; readonly attempts: number; readonly error?: string }
  /** A job that nobody does although its time has come: is a worker running? */
  | { readonly kind: 'overdue-job'; readonly job: JobName; readonly dueAt: Date }
  /** A hidden record that no job will end. */
  | ({ readonly kind: 'hidden-without-job' } & RecordedBytes)
  /** Parts of an upload that was begun and left: they cost space and are in no list. `collect` ends it. */
  | {
      readonly kind: 'unfinished-upload'
      readonly physical: string
      readonly uploadId: string
      readonly startedAt?: Date
    }

export type FindingKind = AuditFinding['kind']

/** In the order in which a person should read them. */
export const FINDING_KINDS = [
  'bytes-missing',
  'size-differs',
  'checksum-differs',
  'etag-differs',
  'stuck-job',
  'hidden-without-job',
  'foreign-record-set',
  'orphan',
  'stale-intent',
  'overdue-job',
  'unfinished-upload',
  'foreign-object',
] as const satisfies readonly FindingKind[]

/** What it is and what to do about it, for reports. */
export const FINDING_TEXT: Readonly<
  Record<FindingKind, { readonly title: string; readonly advice: string }>
> = {
  'bytes-missing': {
    title: 'Files without bytes',
    advice: 'The store has nothing under their keys. Bring the bytes back from a copy, or delete the files.',
  },
  'size-differs': {
    title: 'Sizes that differ',
    advice: 'The store has other bytes than were recorded. Find out who writes into this bucket.',
  },
  'checksum-differs': {
    title: 'Checksums that differ',
    advice: 'The store has other bytes than were recorded. Find out who writes into this bucket.',
  },
  'etag-differs': {
    title: 'Etags that differ',
    advice: 'The object was written again since it was recorded. Its bytes may be others.',
  },
  'stuck-job': {
    title: 'Stuck jobs',
    advice: 'Mend what they say and retry them: stowage doctor --stuck.',
  },
  'hidden-without-job': {
    title: 'Hidden records without a job',
    advice: 'No job will end these deletes. Has somebody edited the journal by hand?',
  },
  'foreign-record-set': {
    title: 'Other record sets below this root',
    advice:
      'Their files look like orphans from here. Give each database a root of its own; nothing is collected.',
  },
  orphan: {
    title: 'Orphans',
    advice: 'Objects that no record knows. stowage gc removes them, by way of quarantine.',
  },
  'stale-intent': {
    title: 'Stale intents',
    advice: 'Uploads whose writer is gone. recover() or a worker gives them up.',
  },
  'overdue-job': {
    title: 'Overdue jobs',
    advice: 'Their time has come and nobody does them. Is a worker running?',
  },
  'unfinished-upload': {
    title: 'Unfinished uploads',
    advice: 'Parts that cost space and stand in no list. stowage gc ends them.',
  },
  'foreign-object': {
    title: 'Foreign objects',
    advice: 'Not recorded and not of our form. adopt() makes files of them; gc leaves them alone.',
  },
}

/** What a real server answered, in the order in which it was asked. */
import { readFileSync } from 'node:fs'
import { inOrder } from '../in-order.ts'

export interface WireRequest {
  method: string
  path: string
  headers?: Record<string, string>
  body?: unknown
}

export interface WireAnswer {
  status: number
  headers: Record<string, string>
  body: unknown
}

export interface Recording {
  name: string
  request: unknown
  response: unknown
  readback?: { status: number; body: string }
  sdk?: unknown
  note?: string
}

const FIXTURE = new URL('../../fixtures/supabase.json', import.meta.url)

/**
 * Recordings that stand at the end of the file and were made earlier: each is played right before the one on
 * its right.
 */
const MADE_EARLIER: [name: string, before: string][] = [
  ['upload.limit.wrongmime', 'upload.limit.exact'],
  ['bucket.delete', 'upload.post.binary'],
  ['get.object', 'get.authenticated'],
  ['sign.use.head', 'sign.use.download'],
  ['sign.use.range', 'sign.use.download'],
  ['sign.use.otherpath', 'sign.use.download'],
  ['auth.anon.delete', 'auth.anon.deletebatch'],
  ['list.folder', 'list.folder-slash'],
  ['list.search', 'list.search-infix'],
  ['listv2.flat', 'listv2.flat.next'],
  ['delete.one', 'delete.one.missing-bucket'],
  ['delete.one.again', 'delete.one.missing-bucket'],
  ['delete.batch.allmissing', 'delete.batch.folder'],
  ['copy.ok', 'copy.crossbucket'],
  ['copy.info', 'copy.crossbucket'],
  ['move.missing', 'move.existing-dest'],
  ['race.delete-batch', 'race.move-vs-delete'],
  ['bucket.empty', 'bucket.delete.nonempty'],
  ['tus.options', 'tus.create'],
  ['tus.head', 'info.before-complete'],
  ['tus.patch.1', 'info.before-complete'],
  ['tus.patch.badoffset', 'info.before-complete'],
  ['tus.create.nometadata', 'tus.create.nobucketname'],
  ['tus.create.missing-bucket', 'tus.create.badkey'],
  ['tus.create.toolarge-global', 'tus.create.wrongmime'],
  ['tus.delete', 'tus.head.deleted'],
  ['tus.create.parallel', 'tus.patch.concurrent'],
  ['tus.two-creates-same-key', 'tus.patch.concurrent'],
  ['tus.signed.create', 'tus.signed.patch'],
  ['sdk:createBucket', 'sdk:createBucket.dup'],
  ['sdk:createBucket.public', 'sdk:createBucket.dup'],
  ['sdk:upload.wrongmime', 'sdk:upload.default-contenttype'],
  ['sdk:upload.nobucket', 'sdk:upload.default-contenttype'],
  ['sdk:exists.true', 'sdk:exists.false'],
  ['sdk:download.missing', 'sdk:download.asStream'],
  ['sdk:createSignedUrl.download', 'sdk:createSignedUrl.download-true'],
  ['sdk:createSignedUrls.empty', 'sdk:createSignedUploadUrl'],
  ['sdk:createSignedUploadUrl.existing', 'sdk:getPublicUrl.transform'],
  ['sdk:createSignedUploadUrl.upsert', 'sdk:getPublicUrl.transform'],
  ['sdk:getPublicUrl', 'sdk:getPublicUrl.transform'],
  ['sdk:copy.crossbucket', 'sdk:copy.dup'],
  ['sdk:remove.missing', 'sdk:remove.mixed'],
  ['s3:ListBuckets', 's3:Put'],
  ['s3:Put.IfMatch-wrong', 's3:Head'],
  ['s3:Get.range', 's3:Get.missing'],
  ['s3:Get.ifmatch-wrong', 's3:Get.missing'],
  ['s3:UploadPart', 's3:DeleteObject'],
  ['s3:Complete', 's3:DeleteObject'],
  ['s3:DeleteObjects.mixed', 's3:DeleteObject'],
]

export function recordingsInOrder(): Recording[] {
  return inOrder<Recording>(JSON.parse(readFileSync(FIXTURE, 'utf8')), MADE_EARLIER)
}

export const isWire = (request: unknown): request is WireRequest =>
  typeof request === 'object' && request !== null && 'method' in request && 'path' in request

import { ATTRIBUTE_CASES } from './attributes.ts'
import { CALL_CASES } from './calls.ts'
import { CONDITIONAL_CASES } from './conditional.ts'
import { CONDITIONAL_CHANGE_CASES } from './conditional-changes.ts'
import type { ConformanceCase } from './conformance-case.ts'
import { COPY_MOVE_CASES } from './copy-move.ts'
import { DELETE_CASES } from './delete.ts'
import { INFO_CASES } from './info.ts'
import { INTERRUPTED_READ_CASES } from './interrupted-reads.ts'
import { KEY_CASES } from './keys.ts'
import { LIST_CASES } from './list.ts'
import { LIST_FOLDER_CASES } from './list-folders.ts'
import { LOCATION_CASES } from './location.ts'
import { MULTIPART_CASES } from './multipart.ts'
import { READ_CASES } from './read.ts'
import { RESUMABLE_REFUSAL_CASES } from './resumable-refusals.ts'
import { RESUMABLE_UPLOAD_CASES } from './resumable-uploads.ts'
import { SIGNED_UPLOAD_CASES } from './signed-uploads.ts'
import { SIGNED_URL_LIMIT_CASES } from './signed-url-limits.ts'
import { SIGNED_URL_CASES } from './signed-urls.ts'
import { UNFINISHED_UPLOAD_CASES } from './unfinished-uploads.ts'
import { VERSION_CASES } from './versions.ts'
import { WRITE_CASES } from './write.ts'
import { WRITE_CHECK_CASES } from './write-checks.ts'

/** Every case, in the order in which a provider is best looked at. */
export const CASES: readonly ConformanceCase[] = [
  ...CALL_CASES,
  ...LOCATION_CASES,
  ...KEY_CASES,
  ...WRITE_CASES,
  ...WRITE_CHECK_CASES,
  ...ATTRIBUTE_CASES,
  ...MULTIPART_CASES,
  ...UNFINISHED_UPLOAD_CASES,
  ...RESUMABLE_UPLOAD_CASES,
  ...RESUMABLE_REFUSAL_CASES,
  ...CONDITIONAL_CASES,
  ...CONDITIONAL_CHANGE_CASES,
  ...READ_CASES,
  ...INTERRUPTED_READ_CASES,
  ...INFO_CASES,
  ...LIST_CASES,
  ...LIST_FOLDER_CASES,
  ...COPY_MOVE_CASES,
  ...DELETE_CASES,
  ...VERSION_CASES,
  ...SIGNED_URL_CASES,
  ...SIGNED_URL_LIMIT_CASES,
  ...SIGNED_UPLOAD_CASES,
]

import { childrenNamed, childText, decodeEntities, type XmlElement } from './xml.ts'

/** An object of a list, as the texts that the server wrote. */
export interface ObjectRow {
  readonly key: string | undefined
  readonly size: string | undefined
  readonly lastModified: string | undefined
  readonly etag: string | undefined
  readonly storageClass: string | undefined
}

const OTHERS =
  '(?:<ChecksumAlgorithm>[^<]*</ChecksumAlgorithm>|<ChecksumType>[^<]*</ChecksumType>' +
  '|<Owner>(?:<ID>[^<]*</ID>)?(?:<DisplayName>[^<]*</DisplayName>)?</Owner>)*'
const MODIFIED = '(?:<LastModified>([^<&]*)</LastModified>)?'
const ETAG = '(?:<ETag>([^<]*)</ETag>)?'

/** As S3, MinIO and Supabase write an object, and as versitygw does, whose date and etag come before the key. */
const PLAIN = new RegExp(
  `<Contents>${MODIFIED}${OTHERS}${ETAG}<Key>([^<]+)</Key>${MODIFIED}${ETAG}${OTHERS}` +
    `<Size>(\\d+)</Size>${OTHERS}(?:<StorageClass>([^<&]*)</StorageClass>)?${OTHERS}</Contents>`,
  'y',
)

/** Stands where the plain rows were. No element is called so. */
const ROWS = '*'

/**
 * The objects of a list, and what else it says. There are a thousand, and an element for each part of each costs more
 * than all else about a list: so they are read at once where all are written plainly, and by `parse` where one is not.
 */
export function readObjectRows(
  text: string,
  parse: (text: string) => XmlElement,
): { result: XmlElement; rows: readonly ObjectRow[] } {
  const { rows, rest } = plainRows(text)
  if (rows.length > 0) {
    const result = parse(rest)
    // Otherwise they are in a comment or deeper in the document, or more of them are elsewhere.
    if (childrenNamed(result, ROWS).length === 1 && childrenNamed(result, 'Contents').length === 0)
      return { result, rows }
  }
  const result = parse(text)
  return { result, rows: childrenNamed(result, 'Contents').map(parsedRow) }
}

/** The first of them up to one that is written otherwise. */
function plainRows(text: string): { rows: ObjectRow[]; rest: string } {
  const rows: ObjectRow[] = []
  const start = text.indexOf('<Contents>')
  if (start < 0) return { rows, rest: text }
  let end = start
  PLAIN.lastIndex = start
  for (let found = PLAIN.exec(text); found !== null; found = PLAIN.exec(text)) {
    const [, earlyDate, earlyEtag, key, lateDate, lateEtag, size, storageClass] = found
    const etag = earlyEtag ?? lateEtag
    rows.push({
      key: decodeEntities(key!),
      size,
      lastModified: earlyDate ?? lateDate,
      etag: etag === undefined ? undefined : decodeEntities(etag),
      storageClass,
    })
    end = PLAIN.lastIndex
  }
  return { rows, rest: `${text.slice(0, start)}<${ROWS}/>${text.slice(end)}` }
}

function parsedRow(element: XmlElement): ObjectRow {
  return {
    key: childText(element, 'Key'),
    size: childText(element, 'Size'),
    lastModified: childText(element, 'LastModified'),
    etag: childText(element, 'ETag'),
    storageClass: childText(element, 'StorageClass'),
  }
}

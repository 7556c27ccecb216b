/** Lists as servers write them, and as others might: what is given is what `parseXml` reads, or an error. */
import { describe, expect, test } from 'vitest'
import type { ListEntry } from '../../../src/core/results.ts'
import { fakeS3 } from './fake-s3.ts'

const MODIFIED = '<LastModified>2026-01-02T03:04:05.000Z</LastModified>'
const plain = (key: string) => `<Contents><Key>${key}</Key><Size>1</Size></Contents>`

async function listed(inside: string) {
  const { files } = await fakeS3((_, response) => {
    response.end(
      `<?xml version="1.0"?>\n<ListBucketResult xmlns="x"><IsTruncated>false</IsTruncated>${inside}</ListBucketResult>`,
    )
  })
  const entries: ListEntry[] = []
  for await (const entry of files.list()) entries.push(entry)
  return entries
}

const keysIn = async (inside: string) =>
  (await listed(inside)).map(entry => (entry.kind === 'object' ? entry.key : entry.prefix))

describe('an object of a list', () => {
  test.each([
    [
      'S3',
      `<Key>a&amp;b</Key>${MODIFIED}<ETag>&quot;e&quot;</ETag><ChecksumAlgorithm>CRC32</ChecksumAlgorithm><ChecksumAlgorithm>SHA1</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType><Size>3</Size><Owner><DisplayName>me</DisplayName><ID>1</ID></Owner><StorageClass>STANDARD</StorageClass>`,
    ],
    [
      'MinIO',
      `<Key>a&amp;b</Key>${MODIFIED}<ETag>&#34;e&#34;</ETag><Size>3</Size><Owner><ID></ID><DisplayName></DisplayName></Owner><StorageClass>STANDARD</StorageClass>`,
    ],
    [
      'versitygw',
      `${MODIFIED}<ChecksumAlgorithm>CRC32</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType><ETag>&#34;e&#34;</ETag><Key>a&amp;b</Key><Size>3</Size><StorageClass>STANDARD</StorageClass>`,
    ],
    [
      'Supabase',
      `<Key>a&amp;b</Key>${MODIFIED}<ETag>"e"</ETag><Size>3</Size><StorageClass>STANDARD</StorageClass>`,
    ],
    [
      'nobody known',
      `<Owner><Key>wrong</Key><Size>9</Size></Owner>\n<Size xml:lang="en">&#51;</Size ><Key >a&amp;b</Key >${MODIFIED}<ETag>e</ETag><StorageClass><![CDATA[STANDARD]]></StorageClass>`,
    ],
  ])('is read as %s writes it', async (_, inside) => {
    const object = {
      kind: 'object',
      key: 'a&b',
      size: 3,
      etag: 'e',
      lastModified: new Date('2026-01-02T03:04:05Z'),
      storageClass: 'STANDARD',
    }
    const entries = await listed(`<Contents>${inside}</Contents>${plain('z')}`)
    expect(entries).toEqual([object, { kind: 'object', key: 'z', size: 1 }])
  })

  test.each([
    ['<Key xml:space="preserve">a b</Key><Size>1</Size>', 'a b'],
    ['<Key >a</Key ><Size>1</Size>', 'a'],
    ['<Key>a</Key ><Size>1</Size>', 'a'],
    ['<Key>a<!-- b -->c</Key><Size>1</Size>', 'ac'],
    ['<Restore><Key>wrong</Key></Restore><Key>a</Key><Size>1</Size>', 'a'],
    ['<!-- <Key>wrong</Key> --><Key>a</Key><Size>1</Size>', 'a'],
  ])('has the key of its own: %s', async (inside, key) => {
    expect(await keysIn(`${plain('0')}<Contents>${inside}</Contents>${plain('z')}`)).toEqual(['0', key, 'z'])
  })

  test.each([
    '<Size>1</Size>',
    '<Key></Key><Size>1</Size>',
    '<Key/><Size>1</Size>',
    '<Owner><Key>wrong</Key></Owner><Size>1</Size>',
    '<Key>a</Key>',
    '<Key>a</Key><Size></Size>',
    '<Key>a</Key><Size>many</Size>',
    '<Key>a</Wrong><Size>1</Size>',
    '<Key>a<Size>1</Size>',
    '<Key>a</Key><Size>1</Size><Owner>',
  ])('is refused without a key or a size, and where the XML is none: %s', async inside => {
    await expect(keysIn(`${plain('0')}<Contents>${inside}</Contents>${plain('z')}`)).rejects.toMatchObject({
      code: 'unavailable',
      retryable: false,
    })
  })
})

describe('the objects of a list', () => {
  const odd = '<Contents x="1"><Key>b</Key><Size>1</Size></Contents>'
  const [a, b, c] = [plain('a'), plain('b'), plain('c')]
  test.each([
    ['one with an attribute', `${odd}${c}`, ['b', 'c']],
    ['one with an attribute between', `${a}${odd}${c}`, ['a', 'b', 'c']],
    ['prefixes between', `${a}<CommonPrefixes><Prefix>d/</Prefix></CommonPrefixes>${b}`, ['a', 'b', 'd/']],
    ['a list with line ends', `\n${a}\n${b}\n`, ['a', 'b']],
    ['some in a comment', `<!-- ${a} -->${b}`, ['b']],
    ['some in an instruction', `<?x ${a} ?>${b}`, ['b']],
    ['some in a CDATA section', `<A><![CDATA[${a}]]></A>${b}`, ['b']],
    ['some deeper in the document', `<A>${a}</A>${b}`, ['b']],
    ['none but in a comment', `<!-- ${a} -->`, []],
  ])('are those of the root, in its order: %s', async (_, inside, keys) => {
    expect(await keysIn(inside)).toEqual(keys)
  })
})

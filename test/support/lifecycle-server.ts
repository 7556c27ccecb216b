/**
 * A stand-in for the part of AWS S3 that no server which runs here has: it keeps the lifecycle rules of one bucket and
 * refuses what AWS refuses, in AWS's words, as far as they are documented:
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html and
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html
 *
 * It also lists objects and unfinished uploads that a test has put there with the class and date that it needs.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { parseXml, type XmlElement } from '../../src/adapters/s3/xml.ts'
import { type LoopbackServer, loopbackServer } from './loopback-server.ts'

export interface ListedObject {
  readonly key: string
  readonly size: number
  readonly lastModified: Date
  readonly storageClass?: string
}

export interface LifecycleServer extends LoopbackServer {
  readonly bucket: string
  /** Options of `s3()` and `bucketLifecycle()`. */
  readonly options: {
    bucket: string
    endpoint: string
    region: string
    forcePathStyle: true
    credentials: { accessKeyId: string; secretAccessKey: string }
  }
  objects: readonly ListedObject[]
  uploads: readonly { readonly key: string; readonly uploadId: string; readonly startedAt: Date }[]
  /** What was written, as it came. */
  readonly written: string[]
  /** Bodies of `<Rule>` that are there: others than ours may write them. */
  rules: string[]
  minimumSize: string
  /** Rules that were written are lost, as by a server that knows only some actions. */
  forgetful: boolean
  /** So many reads after a write still show the rules before it. */
  lateReads: number
}

export async function lifecycleServer(): Promise<LifecycleServer> {
  const server = await loopbackServer()
  const bucket = 'standin'
  let before: string[] = []
  let late = 0
  const state: LifecycleServer = {
    ...server,
    bucket,
    options: {
      bucket,
      endpoint: server.origin,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: { accessKeyId: 'stand-in', secretAccessKey: 'stand-in-secret' },
    },
    objects: [],
    uploads: [],
    written: [],
    rules: [],
    minimumSize: 'all_storage_classes_128K',
    forgetful: false,
    lateReads: 0,
  }
  server.use((request, response) => void answer(request, response))
  return state

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<ServerResponse> {
    const body = await text(request)
    const { searchParams } = new URL(request.url!, server.origin)
    if (searchParams.has('lifecycle')) return lifecycle(request, body, response)
    if (searchParams.has('uploads')) return send(response, 200, uploadsXml())
    if (searchParams.get('list-type') === '2')
      return send(response, 200, listXml(searchParams.get('prefix') ?? ''))
    return refuse(
      response,
      501,
      'NotImplemented',
      'A header you provided implies functionality that is not implemented',
    )
  }

  function lifecycle(request: IncomingMessage, body: string, response: ServerResponse): ServerResponse {
    if (request.method === 'GET') {
      const rules = late > 0 ? before : state.rules
      late--
      if (rules.length === 0)
        return refuse(
          response,
          404,
          'NoSuchLifecycleConfiguration',
          'The lifecycle configuration does not exist',
        )
      response.setHeader('x-amz-transition-default-minimum-object-size', state.minimumSize)
      return send(response, 200, `<LifecycleConfiguration>${rules.join('')}</LifecycleConfiguration>`)
    }
    before = state.rules
    late = state.lateReads
    if (request.method === 'DELETE') {
      state.rules = []
      return send(response, 204, '')
    }
    const { headers } = request
    if (!Object.keys(headers).some(name => name === 'content-md5' || name.startsWith('x-amz-checksum-')))
      return refuse(response, 400, 'InvalidRequest', 'Missing required header for this request: Content-MD5')
    const problem = problemOf(parseXml(body).children.filter(({ name }) => name === 'Rule'))
    if (problem !== undefined) return refuse(response, 400, 'InvalidArgument', problem)
    state.written.push(body)
    state.minimumSize = String(
      headers['x-amz-transition-default-minimum-object-size'] ?? 'all_storage_classes_128K',
    )
    state.rules = state.forgetful ? before : (body.match(/<Rule>.*?<\/Rule>/gs) ?? [])
    return send(response, 200, '')
  }

  function listXml(prefix: string): string {
    const contents = state.objects
      .filter(({ key }) => key.startsWith(prefix))
      .sort((a, b) => (a.key < b.key ? -1 : 1))
      .map(
        ({ key, size, lastModified, storageClass = 'STANDARD' }) =>
          `<Contents><Key>${key}</Key><LastModified>${lastModified.toISOString()}</LastModified><ETag>"e"</ETag><Size>${size}</Size><StorageClass>${storageClass}</StorageClass></Contents>`,
      )
    return `<ListBucketResult><Name>${bucket}</Name><IsTruncated>false</IsTruncated>${contents.join('')}</ListBucketResult>`
  }

  function uploadsXml(): string {
    const uploads = state.uploads.map(
      ({ key, uploadId, startedAt }) =>
        `<Upload><Key>${key}</Key><UploadId>${uploadId}</UploadId><Initiated>${startedAt.toISOString()}</Initiated></Upload>`,
    )
    return `<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>${uploads.join('')}</ListMultipartUploadsResult>`
  }
}

const CLASSES = ['STANDARD_IA', 'INTELLIGENT_TIERING', 'ONEZONE_IA', 'GLACIER_IR', 'GLACIER', 'DEEP_ARCHIVE']
const ACTIONS = [
  'Transition',
  'Expiration',
  'NoncurrentVersionExpiration',
  'NoncurrentVersionTransition',
  'AbortIncompleteMultipartUpload',
]

/** What AWS says of the first rule that it does not take. */
function problemOf(rules: readonly XmlElement[]): string | undefined {
  const seen = new Set<string>()
  for (const rule of rules) {
    const id = textOf(rule, 'ID')
    if (id.length > 255) return 'ID length should not exceed allowed limit of 255'
    if (seen.has(`id ${id}`)) return 'RuleId must be unique. Found same ID for more than one rule'
    seen.add(`id ${id}`)
    const filter = rule.children.find(({ name }) => name === 'Filter')
    if (filter !== undefined && filter.children.length > 1)
      return 'The Filter must have exactly one of Prefix, Tag, or And specified'
    const actions = ACTIONS.filter(action => rule.children.some(({ name }) => name === action))
    if (actions.length === 0) return 'At least one action needs to be specified in a rule'
    for (const action of actions) {
      const same = `${action} ${JSON.stringify(filter)}`
      if (seen.has(same)) return `Found two rules with same prefix for same action type '${action}'`
      seen.add(same)
    }
    const sized = JSON.stringify(filter ?? {}).includes('ObjectSize')
    if (sized && actions.includes('AbortIncompleteMultipartUpload'))
      return 'AbortIncompleteMultipartUpload cannot be specified with object size'
    const problem = problemOfDays(rule)
    if (problem !== undefined) return problem
  }
  return rules.length > 1000 ? 'The number of rules exceeds the limit of 1000' : undefined
}

function problemOfDays(rule: XmlElement): string | undefined {
  const moves = rule.children
    .filter(({ name }) => name === 'Transition')
    .map(move => ({ days: Number(textOf(move, 'Days')), to: textOf(move, 'StorageClass') }))
    .sort((a, b) => a.days - b.days)
  for (const [at, { days, to }] of moves.entries()) {
    if (!CLASSES.includes(to)) return "'StorageClass' must be one of the transition storage classes"
    const infrequent = to === 'STANDARD_IA' || to === 'ONEZONE_IA'
    if (infrequent && days < 30)
      return `'Days' in Transition action must be greater than or equal to 30 for storageClass '${to}'`
    const from = moves[at - 1]
    if (from === undefined) continue
    if (CLASSES.indexOf(from.to) >= CLASSES.indexOf(to))
      return `'Days' in the Transition action for StorageClass '${from.to}' must be greater than for '${to}'`
    if (from.to.endsWith('_IA') && days < from.days + 30)
      return `'Days' in the Transition action for StorageClass '${to}' must be 30 days more than for '${from.to}'`
  }
  const expiration = rule.children.find(({ name }) => name === 'Expiration')
  const last = moves.at(-1)
  if (expiration === undefined || textOf(expiration, 'ExpiredObjectDeleteMarker') !== '') return undefined
  const days = Number(textOf(expiration, 'Days'))
  if (!(days > 0)) return "'Days' for Expiration action must be a positive integer"
  return last !== undefined && days <= last.days
    ? "'Days' in the Expiration action must be greater than 'Days' in the Transition action"
    : undefined
}

function textOf(element: XmlElement, name: string): string {
  return element.children.find(child => child.name === name)?.text ?? ''
}

function send(response: ServerResponse, status: number, xml: string): ServerResponse {
  return response
    .writeHead(status, { 'content-type': 'application/xml', 'x-amz-request-id': 'stand-in' })
    .end(xml)
}

function refuse(response: ServerResponse, status: number, code: string, message: string): ServerResponse {
  return send(response, status, `<Error><Code>${code}</Code><Message>${message}</Message></Error>`)
}

/** What a real imgproxy 4.0.12 answered, and how the answer of another server is read to be held to it. */
import { readFileSync } from 'node:fs'
import sharp from 'sharp'

/** An answer, of which only what was recorded counts. */
export interface Answer {
  readonly status: number
  readonly contentType: string
  readonly width?: number | null
  readonly height?: number | null
  readonly pages?: number
  readonly body?: string
  readonly 'cache-control'?: string
  readonly 'content-disposition'?: string
  readonly originRequestTarget?: string
}

export interface Vector extends Omit<Answer, 'status' | 'contentType'> {
  readonly name: string
  readonly key: string
  readonly salt: string
  readonly signatureSize?: number
  readonly signedPath: string
  readonly method?: string
  /** Settings of the server, where they were others. */
  readonly server?: string
  readonly sourceUrl: string
  /** `null` for published examples, which were only compared by their signature. */
  readonly status: number | null
  readonly contentType: string | null
}

export interface OptionRow extends Answer {
  /** Options, of a URL for the photo; `exp:<unix>` stands for a time to come or, with 404, for one gone by. */
  readonly segment: string
}

export const VECTORS = fixture<Vector[]>('vectors.json')
export const OPTION_ROWS = fixture<{ rows: OptionRow[] }>('options.json').rows

const COMPARED = [
  'status',
  'contentType',
  'width',
  'height',
  'pages',
  'body',
  'cache-control',
  'content-disposition',
  'originRequestTarget',
] as const

/** What was recorded of it, and of an answer as much as that. */
export function compared(recording: object, answer: object = recording): Record<string, unknown> {
  const names = COMPARED.filter(name => name in recording)
  return Object.fromEntries(names.map(name => [name, (answer as Record<string, unknown>)[name]]))
}

export async function readAnswer(response: Response, asked: readonly string[]): Promise<Answer> {
  const type = response.headers.get('content-type') ?? ''
  const bytes = new Uint8Array(await response.arrayBuffer())
  const image = type.startsWith('image/') ? await sizeOf(bytes) : undefined
  return {
    status: response.status,
    contentType: type,
    width: image?.width ?? null,
    height: image?.height ?? null,
    ...(image?.pages === undefined ? {} : { pages: image.pages }),
    ...(image === undefined ? { body: new TextDecoder().decode(bytes) } : {}),
    'cache-control': response.headers.get('cache-control') ?? '',
    'content-disposition': utf8(response.headers.get('content-disposition') ?? ''),
    ...(asked.length === 0 ? {} : { originRequestTarget: asked.at(-1)! }),
  }
}

/** `null` for what sharp can't read, as it was recorded. */
async function sizeOf(bytes: Uint8Array) {
  const { width, pageHeight, height, pages } = await sharp(bytes)
    .metadata()
    .catch(() => ({
      width: null,
      height: null,
      pageHeight: undefined,
      pages: undefined,
    }))
  return { width, height: pageHeight ?? height, pages: pages === 1 ? undefined : pages }
}

/** Headers are read byte by byte. */
function utf8(header: string): string {
  return Buffer.from(header, 'latin1').toString('utf8')
}

function fixture<Shape>(name: string): Shape {
  return JSON.parse(readFileSync(new URL(`../../fixtures/imgproxy/${name}`, import.meta.url), 'utf8'))
}

import {
  type VendorAnswer,
  type VendorRequest,
  type VendorStandIn,
  vendorStandIn,
} from './vendor-stand-in.ts'

export const DISTRIBUTION = 'EDFDVBD6EXAMPLE'
export const ACCESS_KEY = 'AKIASTANDIN'
export const SECRET = 'cloudfront-secret-SECRET-1234'

export interface CloudfrontStandIn extends VendorStandIn {
  /** Everything in progress completes. */
  complete(): void
}

/**
 * CloudFront's CreateInvalidation, from
 * https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateInvalidation.html and
 * https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/InvalidationLimits.html: a reference that is sent
 * again with the same paths is the invalidation that there was, with others it is an error; at most 3,000 paths and 15
 * wildcards are in progress.
 */
export async function cloudfrontStandIn(): Promise<CloudfrontStandIn> {
  const invalidations = new Map<string, { id: string; items: string }>()
  let progress = { paths: 0, wildcards: 0 }

  function serve({ method, url, headers, body }: VendorRequest): VendorAnswer {
    if (!headers.authorization?.includes(`Credential=${ACCESS_KEY}/`))
      return xmlRefusal(403, {}, 'The security token is invalid', 'InvalidClientTokenId')
    if (method !== 'POST' || url !== `/2020-05-31/distribution/${DISTRIBUTION}/invalidation`)
      return xmlRefusal(404, {}, 'The specified distribution does not exist', 'NoSuchDistribution')
    const items = [...body.matchAll(/<Path>([^<]*)<\/Path>/g)].map(match => unescaped(match[1]!))
    const reference = /<CallerReference>([^<]*)</.exec(body)?.[1] ?? ''
    const quantity = Number(/<Quantity>(\d+)</.exec(body)?.[1])
    if (reference === '' || quantity !== items.length || items.some(item => !/^[/#]/.test(item)))
      return xmlRefusal(400, {}, 'Your request contains an invalid path', 'InvalidArgument')
    const known = invalidations.get(reference)
    if (known !== undefined) {
      return known.items === items.join('\n')
        ? created(known.id)
        : xmlRefusal(400, {}, 'The reference has other paths', 'InvalidationBatchAlreadyExists')
    }
    const wildcards = items.filter(item => item.endsWith('*')).length
    const next = {
      paths: progress.paths + items.length - wildcards,
      wildcards: progress.wildcards + wildcards,
    }
    if (next.paths > 3_000 || next.wildcards > 15)
      return xmlRefusal(400, {}, 'Processing your request would exceed', 'TooManyInvalidationsInProgress')
    progress = next
    const id = `I${invalidations.size + 1}`
    invalidations.set(reference, { id, items: items.join('\n') })
    return { ...created(id), purged: items }
  }

  const standIn = await vendorStandIn(serve)
  return Object.assign(standIn, {
    complete() {
      progress = { paths: 0, wildcards: 0 }
    },
  })
}

export function xmlRefusal(
  status: number,
  headers: Record<string, string> = {},
  message = 'refused',
  code?: string,
) {
  const name =
    code ?? (status === 429 ? 'Throttling' : status === 400 ? 'InvalidArgument' : 'ServiceUnavailable')
  const body = `<?xml version="1.0"?><ErrorResponse xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Error><Type>Sender</Type><Code>${name}</Code><Message>${message}</Message></Error><RequestId>r-1</RequestId></ErrorResponse>`
  return { status, headers: { 'content-type': 'text/xml', 'x-amzn-requestid': 'r-1', ...headers }, body }
}

function created(id: string): VendorAnswer {
  const body = `<?xml version="1.0"?><Invalidation xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Id>${id}</Id><Status>InProgress</Status></Invalidation>`
  return { status: 201, headers: { 'content-type': 'text/xml' }, body }
}

function unescaped(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
}

import type { Capabilities } from './capabilities.ts'
import type { SignRequest, SignUploadRequest } from './driver.ts'
import type { KeyResult, SignedUpload, SignedUrl } from './results.ts'
import { type UrlSigning, UrlToken } from './url-token.ts'

/** The part of a driver that signs URLs for our own server, for stores that have none. */
export interface TokenUrls {
  /** Where the URLs lead. Two roots of one name behind two addresses are two stores. */
  readonly baseUrl: string | undefined
  readonly capabilities: Pick<Capabilities, 'signedUrl' | 'signedUpload' | 'publicUrl'>
  signMany(keys: readonly string[], request: SignRequest): Promise<KeyResult<SignedUrl>[]>
  signUpload(request: SignUploadRequest): Promise<SignedUpload>
  publicUrl(key: string): string
}

/** Without `signing` the capabilities say that nothing can be signed, and nothing asks. */
export function tokenUrls(signing: UrlSigning | undefined, now: () => number): TokenUrls {
  if (signing === undefined)
    return {
      ...NO_URLS,
      baseUrl: undefined,
      capabilities: { signedUrl: false, signedUpload: false, publicUrl: false },
    }
  const token = new UrlToken(signing)
  // Expiry is kept in whole seconds, rounded up: a URL never lives shorter than was asked for.
  const expiry = (expiresIn: number) => Math.ceil(now() / 1000) + expiresIn
  return {
    baseUrl: token.baseUrl,
    capabilities: {
      signedUrl: {
        methods: ['GET', 'HEAD', 'PUT', 'DELETE'],
        checksExistence: false,
        bindsContentType: true,
        bindsDownload: true,
      },
      signedUpload: { choosesExpiry: true, size: true, maxSize: true, contentType: true, finalizes: false },
      publicUrl: true,
    },
    async signMany(keys, { expiresIn, method, download, contentType }) {
      const expires = expiry(expiresIn)
      return keys.map(key => {
        const url = token.sign({ key, method, expires, download, contentType })
        const headers: Record<string, string> =
          contentType === undefined ? {} : { 'content-type': contentType }
        return { key, ok: true, value: { url, method, headers, expiresAt: new Date(expires * 1000) } }
      })
    },
    async signUpload({ key, expiresIn, contentType, size, maxSize }) {
      const expires = expiry(expiresIn!)
      const url = token.sign({ key, method: 'PUT', expires, contentType, size, maxSize })
      const headers: Record<string, string> = contentType === undefined ? {} : { 'content-type': contentType }
      return { method: 'PUT', url, headers, expiresAt: new Date(expires * 1000) }
    },
    publicUrl: key => token.publicUrl(key),
  }
}

const NO_URLS = {
  signMany: () => Promise.reject(new Error('not signed here')),
  signUpload: () => Promise.reject(new Error('not signed here')),
  publicUrl(): never {
    throw new Error('not signed here')
  },
}

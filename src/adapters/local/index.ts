export type { UrlSigning } from '../../core/url-token.ts'
export { type LocalOptions, local } from './local.ts'

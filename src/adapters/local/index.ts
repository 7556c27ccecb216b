export type { UrlSigning } from '../../core/url-token.ts'
export { local } from './local.ts'
export type { LocalOptions } from './local-options.ts'

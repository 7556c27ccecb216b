export type { UrlSigning } from '../core/url-token.ts'
export { fileServer } from './file-server.ts'
export { type NodeHandler, toNodeHandler } from './node-handler.ts'
export type { CorsOptions, FetchHandler, FileServerOptions } from './options.ts'

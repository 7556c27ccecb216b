import { type Exchange, sendBytes } from './http-exchange.ts'
import type { StorageState } from './storage-state.ts'
import { xmlDocument } from './xml.ts'

/** One request to the S3 endpoint whose signature holds. */
export interface S3Call {
  state: StorageState
  exchange: Exchange
  bucket: string
  key: string
  /** The body once its own hash or its chunks' signatures hold. */
  body(): Promise<Buffer>
}

export function sendXml(
  exchange: Exchange,
  root: string,
  value: Parameters<typeof xmlDocument>[1],
  status = 200,
): void {
  sendBytes(exchange, status, { 'content-type': 'application/xml; charset=utf-8' }, xmlDocument(root, value))
}

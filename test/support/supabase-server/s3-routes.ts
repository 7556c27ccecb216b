import { type Exchange, sendBytes } from './http-exchange.ts'
import type { StorageState } from './storage-state.ts'

export function s3Request(_state: StorageState, exchange: Exchange): void {
  sendBytes(exchange, 501, {}, '')
}

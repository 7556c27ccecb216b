/** Deletion: row and bytes in one transaction, the bytes last, so that a store that is down loses nothing. */
import { requireBody } from './body-schema.ts'
import { type Exchange, readJson, sendJson } from './http-exchange.ts'
import type { Params } from './router.ts'
import { authenticate, may } from './row-policies.ts'
import { failures } from './storage-failure.ts'
import { fullRow, type StorageState, type StoredObject } from './storage-state.ts'

export async function deleteObject(state: StorageState, exchange: Exchange, params: Params): Promise<void> {
  const caller = authenticate(exchange.headers, state)
  const wait = await state.faults.lockedRows.get(`${params.bucket}/${params.key}`)
  if (wait === 'timed-out') throw failures.databaseTimeout()
  const object = state.find(params.bucket, params.key)
  if (!object) throw failures.noSuchKey()
  const allowed = (['select', 'delete'] as const).every(action =>
    may(state, caller, action, params.bucket, object),
  )
  if (!allowed) throw failures.accessDenied()
  if (state.faults.storeDown) throw failures.internal()
  state.remove(object)
  sendJson(exchange, { message: 'Successfully deleted' })
}

/** What is missing, what the caller may not touch and what is named twice leaves no trace in the answer. */
export async function deleteObjects(state: StorageState, exchange: Exchange, params: Params): Promise<void> {
  const body = requireBody(await readJson(exchange), {
    prefixes: { type: 'strings', required: true, minItems: 1 },
  })
  const caller = authenticate(exchange.headers, state)
  const found = new Set<StoredObject>()
  for (const name of body.prefixes as string[]) {
    const object = state.find(params.bucket, name)
    if (!object) continue
    const allowed = (['select', 'delete'] as const).every(action =>
      may(state, caller, action, params.bucket, object),
    )
    if (allowed) found.add(object)
  }
  if (found.size > 0 && state.faults.storeDown) throw failures.storeDown()
  for (const object of found) state.remove(object)
  // The order of the request is not kept by the real server either.
  sendJson(exchange, [...found].reverse().map(fullRow))
}

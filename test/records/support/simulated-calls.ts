/** A client's provider, engine and invalidator: each call of theirs waits at a gate of the simulation. */
import type { UploadBody } from '../../../src/core/body.ts'
import { StorageError } from '../../../src/core/errors.ts'
import type { Invalidator } from '../../../src/core/invalidator.ts'
import type { StorageProvider } from '../../../src/core/provider.ts'
import { forward, intercept } from '../../../src/decorators/forward.ts'
import type { BatchOptions, Engine, Statement } from '../../../src/sql/engine.ts'
import { Answer, type CallFailures, type Simulation } from './simulation.ts'

const READS = new Set(['info', 'infoMany', 'exists', 'list', 'clock', 'probe', 'signedUrl', 'signedUrls'])

export function simulatedProvider(
  simulation: Simulation,
  client: string,
  inner: StorageProvider,
  capabilities: Partial<StorageProvider['capabilities']> = {},
): StorageProvider {
  const calls = intercept(
    inner,
    ({ operation, key, to, options }, run) =>
      simulation.enter({
        client,
        call: `provider.${operation}`,
        about: [key, to].filter(name => name !== undefined).join(' → '),
        hasId: false,
        writes: !READS.has(operation),
        failures: providerFailures(operation, key),
        // A request that is on its way is not called back.
        perform: () => run({ ...options, signal: undefined } as typeof options),
      }) as never,
  )
  return forward(inner, {
    ...calls,
    get capabilities() {
      return { ...inner.capabilities, ...capabilities }
    },
    // Bytes are taken before the gate: a body can't be read twice.
    upload: async (key, body, options) => calls.upload(key, await bytesOf(body), options),
    deleteMany: async (keys, options) => {
      const entries = [...(keys as Iterable<string | { key: string }>)]
      return simulation.enter({
        client,
        call: 'provider.deleteMany',
        about: entries.map(entry => (typeof entry === 'string' ? entry : entry.key)).join(', '),
        hasId: false,
        writes: true,
        failures: deleteFailures(entries.map(entry => (typeof entry === 'string' ? entry : entry.key))),
        perform: () => inner.deleteMany(entries, { ...options, signal: undefined } as never),
      }) as ReturnType<StorageProvider['deleteMany']>
    },
    download: (key, options) =>
      simulation.enter({
        client,
        call: 'provider.download',
        about: key,
        hasId: false,
        writes: false,
        failures: providerFailures('download', key),
        perform: () => inner.download(key, options),
      }) as ReturnType<StorageProvider['download']>,
    close: async () => {},
  })
}

export function simulatedEngine(simulation: Simulation, client: string, inner: Engine): Engine {
  const gate = (call: string, about: string, perform: () => Promise<unknown>, id?: string, writes = true) =>
    simulation.enter({
      client,
      call: `engine.${call}`,
      about,
      hasId: id !== undefined,
      writes,
      perform,
      failures: engineFailures(call, writes),
    }) as Promise<never>
  return {
    name: inner.name,
    types: inner.types,
    jsonArray: inner.jsonArray,
    textHoldsNul: inner.textHoldsNul,
    batch: (statements, options: BatchOptions = {}) =>
      gate(
        'batch',
        `${options.id ?? ''} ${statements.map(firstWords).join('; ')}`,
        () => inner.batch(statements, { ...options, signal: undefined } as BatchOptions),
        options.id,
      ),
    query: (statement, options) =>
      gate('query', firstWords(statement), () => inner.query(statement, options), undefined, false),
    outcome: (id, options) => gate('outcome', id, () => inner.outcome(id, options), undefined, false),
    forget: before => gate('forget', '', () => inner.forget(before)),
    join: transaction => inner.join(transaction),
    close: async () => {},
  }
}

export function simulatedInvalidator(
  simulation: Simulation,
  client: string,
  inner: Invalidator,
): Invalidator {
  return {
    name: inner.name,
    invalidate: (targets, options) =>
      simulation.enter({
        client,
        call: 'invalidator.invalidate',
        about: targets.map(target => target.key).join(', '),
        hasId: false,
        writes: true,
        perform: () => inner.invalidate(targets, options),
        failures: {
          none: () =>
            new Answer(targets.map(() => ({ ok: false, error: unavailable('invalidate', inner.name) }))),
          unknown: () =>
            new Answer(targets.map(() => ({ ok: false, error: timedOut('invalidate', inner.name) }))),
        },
      }) as ReturnType<Invalidator['invalidate']>,
    close: async () => {},
  }
}

function providerFailures(operation: string, key: string | undefined): CallFailures {
  return {
    none: () => unavailable(operation, 'memory', key),
    unknown: () => (READS.has(operation) ? unavailable : timedOut)(operation, 'memory', key),
    refused: () => denied(operation, key),
  }
}

/** As the contract says: a result per key. */
function deleteFailures(keys: readonly string[]): CallFailures {
  const each = (error: (key: string) => StorageError) =>
    new Answer(keys.map(key => ({ key, status: 'error', error: error(key) })))
  return {
    none: () => each(key => unavailable('deleteMany', 'memory', key)),
    unknown: () => each(key => timedOut('deleteMany', 'memory', key)),
    refused: () => each(key => denied('deleteMany', key)),
  }
}

/** A write whose fate is unknown is `pending`; all else means that nothing happened. */
function engineFailures(call: string, writes: boolean): CallFailures {
  const lost = () =>
    new StorageError('pending', `${call}: it is unknown whether it happened`, { provider: 'simulated' })
  return {
    none: () => unavailable(call, 'simulated'),
    unknown: () => (writes ? lost() : unavailable(call, 'simulated')),
  }
}

function unavailable(operation: string, provider: string, key?: string) {
  return new StorageError('unavailable', `${operation}: nobody answers`, {
    operation,
    provider,
    ...(key === undefined ? {} : { key }),
  })
}

function timedOut(operation: string, provider: string, key?: string) {
  return new StorageError('timeout', `${operation}: no answer in time`, {
    operation,
    provider,
    ...(key === undefined ? {} : { key }),
  })
}

function denied(operation: string, key?: string) {
  return new StorageError('permission-denied', `${operation}: not allowed`, {
    operation,
    provider: 'memory',
    ...(key === undefined ? {} : { key }),
  })
}

async function bytesOf(body: UploadBody): Promise<UploadBody> {
  if (!(typeof body === 'object' && Symbol.asyncIterator in body)) return body
  const chunks: Uint8Array[] = []
  for await (const chunk of body as AsyncIterable<Uint8Array>) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** `UPDATE journal state doomed`: enough to recognize a statement. */
function firstWords([sql]: Statement): string {
  return sql.replace(/t_default__/g, '').slice(0, 70)
}

import { isStorageError } from '../../core/errors.ts'
import { equal, ok } from '../assertions.ts'
import type { RecordsCase } from './records-conformance-context.ts'
import { contents, newTenant, textOf } from './records-scope.ts'

/** Tenants beside each other, and a tenant whose tables are newer than the process. */
export const TENANT_CASES: readonly RecordsCase[] = [
  {
    id: 'records/tenants',
    title:
      'nothing of a tenant is seen or reached from another, also where one’s name begins with the other’s',
    covers: [111],
    async run(scope) {
      const store = await scope.context.store()
      const id = newTenant()
      const names = [id, `${id}b`, `${id}_b`]
      const all = names.map(tenant => scope.context.withRecords(store, scope.engine, { tenant, env: {} }))
      for (const [index, files] of all.entries()) {
        await files.upload('same.txt', `of ${names[index]}`)
        await files.upload(`only/${index}.txt`, 'x')
      }
      for (const [index, files] of all.entries()) {
        const name = names[index]!
        equal(await textOf(files, 'same.txt'), `of ${name}`, `same.txt of ${name}`)
        equal(Object.keys(await contents(files)), [`only/${index}.txt`, 'same.txt'], `the keys of ${name}`)
        const physical = await files.physicalKey('same.txt')
        ok(physical.startsWith(`${name}/same.`), `same.txt of ${name} lies at ${physical}`)
        equal((await files.audit()).findings, [], `what an audit of ${name} finds`)
      }
      const [first, ...others] = all
      await first!.deleteMany(first!.list())
      await first!.recover()
      for (const files of others)
        equal(Object.keys(await contents(files)).length, 2, `files of ${files.tenantId} after ${id} has none`)
      const second = await contents(first!.tenant(names[1]!))
      equal(Object.keys(second).length, 2, `files of ${names[1]}, asked by way of ${id}`)
      ok(
        refuses(() => first!.tenant(`${id}__b`)),
        'a tenant may have two underscores in a row',
      )
    },
  },
  {
    id: 'records/newer-schema',
    title: 'a process works on a schema that is one step newer than its own',
    covers: [112],
    async run(scope) {
      const { engine } = scope
      const place = await scope.place({ restoreMs: 60_000 })
      const files = place.process()
      await files.upload('before.txt', 'x', { metadata: { a: '1' } })
      const versions = async () => {
        const rows = await engine.query([
          'SELECT version FROM stowage_upgrades WHERE tenant = ? AND namespace = ? ORDER BY version',
          place.tenant,
          'stowage',
        ])
        return rows.map(row => row.version as bigint)
      }
      const known = await versions()
      const newer = known.at(-1)! + 1n
      await engine.batch([
        [`ALTER TABLE t_${place.tenant}__files ADD COLUMN colour ${engine.types.text}`],
        [`ALTER TABLE t_${place.tenant}__journal ADD COLUMN weight ${engine.types.integer}`],
        [`CREATE TABLE t_${place.tenant}__later (id ${engine.types.text} PRIMARY KEY)`],
        [
          'INSERT INTO stowage_upgrades (tenant, namespace, version, at) VALUES (?, ?, ?, ?)',
          place.tenant,
          'stowage',
          newer,
          0n,
        ],
      ])
      for (const process_ of [files, place.process()]) {
        await process_.upload('a.txt', 'one')
        await process_.upload('a.txt', 'two')
        await process_.move('a.txt', 'b.txt')
        await process_.delete('b.txt')
        await process_.restore('b.txt')
        await process_.recover()
      }
      equal(await contents(files), { 'before.txt': 'x', 'b.txt': 'two' }, 'what is there')
      equal(await versions(), [...known, newer], 'the versions of the schema')
    },
  },
]

function refuses(work: () => unknown): boolean {
  try {
    work()
    return false
  } catch (error) {
    return isStorageError(error, 'invalid-argument')
  }
}

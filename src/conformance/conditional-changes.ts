import { equal, fails } from './assertions.ts'
import { CAPABILITY_NEEDS, type CapabilityNeed, refusesMissing } from './capability-needs.ts'
import type { ConformanceCase } from './conformance-case.ts'
import { staleEtagOf } from './etags.ts'

const OTHER = 'another-etag'
const CONDITIONS: readonly CapabilityNeed[] = [
  'createOnly',
  'conditionalReplace',
  'conditionalRead',
  'conditionalCopySource',
  'createOnlyCopy',
  'conditionalDelete',
]

export const CONDITIONAL_CHANGE_CASES: readonly ConformanceCase[] = [
  {
    id: 'conditional/copy-source',
    title: 'copy and move with ifMatch take only that source; else nothing changes',
    covers: [55],
    needs: ['writable', 'conditionalCopySource'],
    async run(scope) {
      const { files } = scope
      const key = scope.key('source.txt')
      const to = scope.key('to.txt')
      const stale = await staleEtagOf(scope, key)
      await fails(
        () => files.copy(key, to, { ifMatch: stale }),
        'precondition-failed',
        'copy of a stale etag',
      )
      await fails(
        () => files.move(key, to, { ifMatch: stale }),
        'precondition-failed',
        'move of a stale etag',
      )
      equal(await scope.names(), ['source.txt'], 'keys')
      await files.copy(key, to, { ifMatch: (await files.info(key)).etag! })
      await scope.holdsBytes(to, 'second')
      await files.move(key, to, { ifMatch: (await files.info(key)).etag! })
      equal(await scope.names(), ['to.txt'], 'keys after the move')
    },
  },
  {
    id: 'conditional/copy-create-only',
    title: "copy and move with ifNoneMatch '*' never replace a destination",
    covers: [55],
    needs: ['writable', 'createOnlyCopy'],
    async run(scope) {
      const { files } = scope
      const [key, taken, free] = [scope.key('source.txt'), scope.key('taken.txt'), scope.key('free.txt')]
      await scope.put(key, 'source')
      await scope.put(taken, 'taken')
      for (const method of ['copy', 'move'] as const)
        await fails(
          () => files[method](key, taken, { ifNoneMatch: '*' }),
          'already-exists',
          `${method} onto an object`,
        )
      await scope.holdsBytes(taken, 'taken')
      await scope.holdsBytes(key, 'source')
      await files.copy(key, free, { ifNoneMatch: '*' })
      await scope.holdsBytes(free, 'source')
      await scope.remove(free)
      await files.move(key, free, { ifNoneMatch: '*' })
      equal(await scope.names(), ['free.txt', 'taken.txt'], 'keys')
    },
  },
  {
    id: 'conditional/delete',
    title: 'delete with a stale etag leaves the object; with the current one it is gone',
    covers: [56],
    needs: ['writable', 'conditionalDelete'],
    async run(scope) {
      const key = scope.key('delete.txt')
      const stale = await staleEtagOf(scope, key)
      for (const ifMatch of [stale, OTHER])
        await fails(
          () => scope.files.delete(key, { ifMatch }),
          'precondition-failed',
          'delete with a stale etag',
        )
      await scope.holdsBytes(key, 'second')
      await scope.files.delete(key, { ifMatch: (await scope.files.info(key)).etag! })
      await scope.isAbsent(key)
    },
  },
  {
    id: 'conditional/missing-are-refused',
    title: 'conditions that the store does not keep are refused as unsupported before anything is written',
    covers: [57],
    needs: ['writable'],
    async run(scope) {
      for (const need of CONDITIONS)
        if (!CAPABILITY_NEEDS[need].has(scope.capabilities)) await refusesMissing(need, scope)
    },
  },
  {
    id: 'conditional/malformed-are-refused',
    title: 'conditions that contradict each other or hold no etag are refused, and nothing is written',
    covers: [57],
    needs: ['writable'],
    async run(scope) {
      const key = scope.key('malformed.txt')
      await scope.put(key, 'as it was')
      for (const options of [
        { ifNoneMatch: 'some-etag' },
        { ifMatch: '"quoted"' },
        { ifMatch: '' },
        { ifMatch: 'line\nbreak' },
        { ifMatch: 'etag', ifNoneMatch: '*' },
        { sameContent: 'ok' },
        { ifNoneMatch: '*', sameContent: 'yes' },
      ]) {
        const upload = () => scope.files.upload(key, 'new', options as object)
        await fails(upload, ['invalid-argument', 'unsupported'], `upload with ${JSON.stringify(options)}`)
        await scope.holdsBytes(key, 'as it was')
      }
      await fails(
        () => scope.files.delete(key, { ifMatch: '' }),
        ['invalid-argument', 'unsupported'],
        "delete, ifMatch ''",
      )
      await scope.holdsBytes(key, 'as it was')
    },
  },
]

import { equal, ok } from './assertions.ts'
import type { ConformanceCase } from './conformance-case.ts'
import { sign } from './signed-url-checks.ts'

/** Shorter values of a query are dates, methods and the like, which may stand in a location by chance. */
const LEAST_SECRET = 12

export const LOCATION_CASES: readonly ConformanceCase[] = [
  {
    id: 'calls/location',
    title: 'location names the store in one line, and what is done in it changes nothing of that',
    covers: [],
    async run(scope) {
      const { location } = scope.files
      ok(typeof location === 'string' && location !== '', `location is ${JSON.stringify(location)}`)
      ok(!/[\x00-\x20\x7f]/.test(location), 'location holds a space, a line break or a control character')
      await scope.put(scope.key('call.txt'))
      await scope.files.info(scope.key('call.txt'))
      equal(scope.files.location, location, 'location after calls')
    },
  },
  {
    id: 'calls/location-holds-no-secret',
    title: 'location holds no credentials, nor anything that is signed with',
    covers: [],
    needs: ['signedUrl:GET'],
    async run(scope) {
      const { location } = scope.files
      ok(!/(?::|%3A)[^/]*(?:@|%40)/i.test(location), 'location holds a user with a password')
      const key = scope.key('secret.txt')
      await scope.put(key)
      for (const [name, value] of new URL((await sign(scope, key)).url).searchParams) {
        const shown = [value, encodeURIComponent(value)].some(text => location.includes(text))
        ok(value.length < LEAST_SECRET || !shown, `location holds '${name}' of a signed URL`)
      }
    },
  },
  {
    id: 'calls/location-of-another',
    title: 'another provider over the same scope has the same location',
    covers: [],
    needs: ['another'],
    async run(scope) {
      equal((await scope.another()).location, scope.files.location, 'location of the other')
    },
  },
  {
    id: 'calls/location-of-another-bucket',
    title: 'a provider over another bucket has another location',
    covers: [],
    needs: ['createMissingBucket'],
    async run(scope) {
      const other = await scope.host('createMissingBucket')
      ok(other.files.location !== scope.files.location, 'two buckets have one location')
    },
  },
]

import { StorageError } from '../../core/errors.ts'
import { type Imgproxy, imgproxy } from './imgproxy.ts'
import { hexValues } from './key-pairs.ts'
import { type Edition, endpointOf, type ImgproxyOptions } from './settings.ts'

type Environment = Readonly<Record<string, string | undefined>>
type FromEnvironment = 'url' | 'key' | 'salt' | 'ttlSeconds'

/**
 * What the environment says of an imgproxy server: `IMGPROXY_URL`, `IMGPROXY_KEY` and `IMGPROXY_SALT`, which may be
 * lists separated by commas, and `IMGPROXY_TTL`, the `ttlSeconds`, which may be absent. For `imgproxyAsync`, and for
 * environments that are no `process.env`.
 *
 * @throws `invalid-argument` that names every variable that is missing or can't be meant, without its value
 */
export function imgproxyEnv(env?: Environment): Pick<ImgproxyOptions, FromEnvironment> {
  const { process } = globalThis as { process?: { env?: Environment } }
  const from = env ?? process?.env ?? {}
  const problems: string[] = []
  function take(name: string, check: (value: string) => unknown): string {
    const value = from[name]?.trim() ?? ''
    try {
      if (value === '') problems.push(`${name} is missing`)
      else check(value)
    } catch (error) {
      problems.push((error as Error).message.replace('imgproxy: ', ''))
    }
    return value
  }
  const url = take('IMGPROXY_URL', value => endpointOf(value, 'IMGPROXY_URL'))
  const key = take('IMGPROXY_KEY', value => hexValues(value, 'IMGPROXY_KEY'))
  const salt = take('IMGPROXY_SALT', value => hexValues(value, 'IMGPROXY_SALT'))
  const ttl = from.IMGPROXY_TTL?.trim() ?? ''
  if (ttl !== '' && !/^[1-9]\d{0,9}$/.test(ttl))
    problems.push('IMGPROXY_TTL must be a whole number of seconds of 1 or more')
  if (problems.length === 0 && key.split(',').length !== salt.split(',').length)
    problems.push('IMGPROXY_KEY and IMGPROXY_SALT must be lists of the same length')
  if (problems.length > 0) {
    throw new StorageError('invalid-argument', `imgproxyFromEnv: ${problems.join('; ')}`, {
      provider: 'imgproxy',
    })
  }
  return { url, key, salt, ...(ttl === '' ? {} : { ttlSeconds: Number(ttl) }) }
}

/**
 * An `imgproxy` from the environment; `options` are all the others, and win over it.
 *
 * @throws `invalid-argument` as `imgproxyEnv` and `imgproxy` do
 * @example
 * ```ts
 * const images = imgproxyFromEnv(process.env, { sourceEncoding: 'base64' })
 * ```
 */
export function imgproxyFromEnv<const E extends Edition = 'open-source'>(
  env?: Environment,
  options?: Partial<ImgproxyOptions<E>>,
): Imgproxy<E> {
  return imgproxy<E>({ ...imgproxyEnv(env), ...options } as ImgproxyOptions<E>)
}

import { StorageError } from '../core/errors.ts'

const TENANT_ID = /^[a-z0-9]+(_[a-z0-9]+)*$/
const MAX_LENGTH = 32

/** The tenant of those who name none. */
export const DEFAULT_TENANT = 'default'

/**
 * Ids are `[a-z0-9]+(_[a-z0-9]+)*`, at most 32 characters: never two underscores in a row, so that `t_a__files` is a
 * table of `a` and of no other, and safe in a table's name without quotes. @throws `invalid-argument`
 */
export function assertTenantId(id: unknown): asserts id is string {
  if (typeof id === 'string' && id.length <= MAX_LENGTH && TENANT_ID.test(id)) return
  throw new StorageError(
    'invalid-argument',
    `a tenant's id is lower-case letters and digits with single underscores between them, at most ${MAX_LENGTH} characters`,
  )
}

/** The tenant named by the caller, else by `STOWAGE_TENANT_ID`, else `default`. @throws `invalid-argument` */
export function tenantOf(
  given: string | undefined,
  env: Readonly<Record<string, string | undefined>> = process.env,
): string {
  const id = given ?? (env.STOWAGE_TENANT_ID || DEFAULT_TENANT)
  assertTenantId(id)
  return id
}

const TABLE_NAME = /^[a-z][a-z0-9_]{0,24}$/

/** `t_<tenant>__<name>`. @throws `invalid-argument` for a name that is none for a table of a tenant */
export function tenantTable(tenant: string, name: string): string {
  assertTenantId(tenant)
  if (!TABLE_NAME.test(name) || name.includes('__'))
    throw new StorageError(
      'invalid-argument',
      "a table's name begins with a lower-case letter, has letters, digits and single underscores, and at most 25 characters",
    )
  return `t_${tenant}__${name}`
}

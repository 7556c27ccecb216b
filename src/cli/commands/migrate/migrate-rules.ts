import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { AttributeRules, BodyTransform, KeyFilter, MigrateOptions } from '../../../migrate/index.ts'
import { UsageError } from '../../exit-codes.ts'
import type { RuleOptions } from './rule-options.ts'

/** What the rules of a command line are for `migrate()`. */
export async function migrateRules(rules: RuleOptions): Promise<Partial<MigrateOptions>> {
  const { prefix, include, exclude, minSize, maxSize, modifiedAfter, modifiedBefore } = rules
  const { keyRule, destinationPrefix, storageClass, transform } = rules
  const { contentType, cacheControl, metadata } = rules
  const { keyRules, parseByEnding, parseKeyRule, rewriteAttributes } = await import(
    '../../../migrate/index.ts'
  )
  const module = transform === undefined ? undefined : await transformModule(transform)
  const attributes: AttributeRules = {
    ...(contentType === undefined ? {} : { contentType: parseByEnding(contentType) }),
    ...(cacheControl === undefined ? {} : { cacheControl: parseByEnding(cacheControl) }),
    ...(metadata === undefined ? {} : { metadata }),
  }
  const word = ruleWord(rules, module?.digest)
  return {
    ...(prefix === undefined ? {} : { prefix }),
    ...(include === undefined ? {} : { include: include.map(filterOf) }),
    ...(exclude === undefined ? {} : { exclude: exclude.map(filterOf) }),
    ...(minSize === undefined ? {} : { minSizeBytes: minSize }),
    ...(maxSize === undefined ? {} : { maxSizeBytes: maxSize }),
    ...(modifiedAfter === undefined ? {} : { modifiedAfter: new Date(modifiedAfter) }),
    ...(modifiedBefore === undefined ? {} : { modifiedBefore: new Date(modifiedBefore) }),
    ...(keyRule === undefined ? {} : { keys: keyRules(keyRule.map(parseKeyRule)) }),
    ...(destinationPrefix === undefined ? {} : { destinationPrefix }),
    ...(storageClass === undefined ? {} : { storageClass }),
    ...(Object.keys(attributes).length === 0 ? {} : { attributes: rewriteAttributes(attributes) }),
    ...(module === undefined ? {} : { transform: module.transform }),
    ...(word === '' ? {} : { rules: word }),
  }
}

function filterOf(text: string): KeyFilter {
  if (!text.startsWith('regex:')) return text
  try {
    return new RegExp(text.slice('regex:'.length), 'u')
  } catch (error) {
    throw new UsageError(`${text} is no regular expression: ${(error as Error).message}`)
  }
}

/** The rules as text: what the library can't compare, since they are functions for it. A module counts by its content. */
function ruleWord(rules: RuleOptions, digest: string | undefined): string {
  const { transform: _, ...rest } = rules
  const text = JSON.stringify({ ...rest, ...(digest === undefined ? {} : { transform: digest }) })
  return text === '{}' ? '' : text
}

async function transformModule(path: string): Promise<{ transform: BodyTransform; digest: string }> {
  const file = resolve(path)
  const content = await readFile(file)
  const loaded: { default?: unknown } = await import(pathToFileURL(file).href)
  if (typeof loaded.default !== 'function')
    throw new UsageError(
      `${path} has no function as its default export: export default async function* (body, object) { … }`,
    )
  const digest = createHash('sha256').update(content).digest('hex')
  return { transform: loaded.default as BodyTransform, digest }
}

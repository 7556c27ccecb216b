import { type Command, InvalidArgumentError } from 'commander'
import { byteCount, metadataPair } from '../../argument-values.ts'

/** What makes a migration the one that it is: stored with it, as it was typed. */
export interface RuleOptions {
  readonly prefix?: string
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
  /** Bytes. */
  readonly minSize?: number
  readonly maxSize?: number
  /** ISO 8601. */
  readonly modifiedAfter?: string
  readonly modifiedBefore?: string
  readonly keyRule?: readonly string[]
  readonly destinationPrefix?: string
  /** As `parseByEnding` reads them. */
  readonly contentType?: readonly string[]
  readonly cacheControl?: readonly string[]
  readonly metadata?: Readonly<Record<string, string>>
  readonly storageClass?: string
  /** Path of a module. */
  readonly transform?: string
  readonly recordsFrom?: string
  readonly recordsTo?: string
  readonly tenantFrom?: string
  readonly tenantTo?: string
}

const NAMES = [
  'prefix',
  'include',
  'exclude',
  'minSize',
  'maxSize',
  'modifiedAfter',
  'modifiedBefore',
  'keyRule',
  'destinationPrefix',
  'contentType',
  'cacheControl',
  'metadata',
  'storageClass',
  'transform',
  'recordsFrom',
  'recordsTo',
  'tenantFrom',
  'tenantTo',
] as const satisfies readonly (keyof RuleOptions)[]

const more = (text: string, before: readonly string[] = []) => [...before, text]

export function withRuleOptions(command: Command): Command {
  return command
    .option('--prefix <prefix>', 'only objects whose keys begin so')
    .option('--include <glob>', 'only these, such as photos/** or regex:^\\d+/; repeat for more', more)
    .option('--exclude <glob>', 'all but these; repeat for more', more)
    .option('--min-size <size>', 'only objects of so many bytes or more', byteCount)
    .option('--max-size <size>', 'only objects of so many bytes or less', byteCount)
    .option(
      '--modified-after <time>',
      'only objects written after it, such as 2026-01-31 or with T12:00Z',
      time,
    )
    .option('--modified-before <time>', 'only objects written before it', time)
    .option(
      '--key-rule <rule>',
      'new keys: prefix:old/=new/, regex:^(\\d+)/=archive/$1/ or layout:users/{id}/{name}=>{id}/{name}; drop:tmp/ leaves out; repeat for more, the first that matches decides',
      more,
    )
    .option('--destination-prefix <prefix>', 'where new keys begin: only there the destination is listed')
    .option(
      '--content-type <type>',
      'type on arrival, of all; .wasm=application/wasm of keys that end so; repeat for more',
      more,
    )
    .option(
      '--cache-control <value>',
      'on arrival, of all; .html=no-cache of keys that end so; repeat for more',
      more,
    )
    .option('--metadata <name=value>', 'add to what each object has; repeat for more', metadataPair)
    .option('--storage-class <class>', 'on arrival, such as STANDARD_IA')
    .option('--transform <module>', 'module whose default export repacks a body, see docs/migrate.md')
    .option('--records-from <url>', 'database with the records of the source')
    .option('--tenant-from <id>', 'whose files there (default: default)')
    .option('--records-to <url>', 'database that gets the records of the destination')
    .option('--tenant-to <id>', 'whose files there (default: default)')
}

function time(text: string): string {
  const at = new Date(text)
  if (Number.isNaN(at.getTime())) throw new InvalidArgumentError('Use 2026-01-31 or 2026-01-31T12:00:00Z.')
  return at.toISOString()
}

/** The rules among the options of a command, in one order. */
export function rulesIn(options: RuleOptions): RuleOptions {
  return Object.fromEntries(
    NAMES.flatMap(name => (options[name] === undefined ? [] : [[name, options[name]]])),
  )
}

/** How options are typed whose values are not the same. */
export function differingRules(one: RuleOptions, other: RuleOptions): string[] {
  return NAMES.filter(name => JSON.stringify(one[name]) !== JSON.stringify(other[name])).map(
    name => `--${name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`,
  )
}

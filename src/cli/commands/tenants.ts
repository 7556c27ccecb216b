import { Command } from 'commander'
import {
  createTenant,
  dropTenant,
  listTenants,
  moveTenant,
  type Tenant,
  type TenantStatus,
  tenantStatus,
} from '../../records/index.ts'
import type { Engine } from '../../sql/engine.ts'
import { UsageError } from '../exit-codes.ts'
import { humanDate, plural } from '../human-format.ts'
import { inSession, withOutputOptions } from '../session.ts'
import type { Terminal } from '../terminal.ts'
import { type RecordsOption, withEngine, withRecordsOption } from '../with-engine.ts'

export function tenantsCommand(terminal: Terminal): Command {
  return new Command('tenants')
    .summary('list, create, upgrade, move and drop tenants')
    .description('Tenants of a database: each has its own tables and its own beginning of keys in the store.')
    .usage('<command>')
    .addCommand(listCommand(terminal))
    .addCommand(createCommand(terminal))
    .addCommand(upgradeCommand(terminal))
    .addCommand(statusCommand(terminal))
    .addCommand(dropCommand(terminal))
    .addCommand(moveCommand(terminal))
    .addHelpText(
      'after',
      `
Examples:
  stowage tenants list --records sqlite:./records.db
  stowage tenants create acme --records rqlite://h1:4001,h2:4001
  stowage tenants drop acme s3://bucket --records sqlite:./records.db --yes
  stowage tenants move acme s3://bucket --from sqlite:./records.db --to rqlite://h1:4001`,
    )
}

function listCommand(terminal: Terminal): Command {
  const command = new Command('list').description('List the tenants of a database.')
  return ofRecords(command).action((options: RecordsOption) =>
    inSession(terminal, command, ({ out }) =>
      withEngine(terminal, options, async engine => {
        for (const tenant of await listTenants(engine)) await out.result(shown(tenant), line(tenant))
      }),
    ),
  )
}

function createCommand(terminal: Terminal): Command {
  const command = new Command('create')
    .description('Create a tenant with its tables. One that is there is brought up to date.')
    .argument('<id>', 'lower-case letters and digits with single underscores between them')
    .option('--root <prefix>', "beginning of its keys in the store, ending in a slash (default: '<id>/')")
  return ofRecords(command).action((id: string, options: RecordsOption & { root?: string }) =>
    inSession(terminal, command, ({ out }) =>
      withEngine(
        terminal,
        options,
        async engine => {
          const tenant = await createTenant(engine, id, { root: options.root })
          await out.done(shown(tenant), line(tenant))
        },
        { mayMake: true },
      ),
    ),
  )
}

function upgradeCommand(terminal: Terminal): Command {
  const command = new Command('upgrade')
    .description(
      'Bring the tables of tenants to this version of stowage. Each by itself: one that fails stays as it was.',
    )
    .argument('[id...]', 'tenants; all where none is named')
  return ofRecords(command).action((ids: string[], options: RecordsOption) =>
    inSession(terminal, command, ({ out, attempt }) =>
      withEngine(terminal, options, async engine => {
        const known = await listTenants(engine)
        const chosen = ids.length > 0 ? ids : known.filter(isActive).map(tenant => tenant.id)
        for (const id of chosen)
          await attempt(async () => {
            const { schemaVersion: before } = await tenantStatus(engine, id)
            await createTenant(engine, id)
            const { schemaVersion: after } = await tenantStatus(engine, id)
            const text = before === after ? `${id}  is at ${after}` : `${id}  ${before} -> ${after}`
            await out.done({ id, before, after }, text)
          })
      }),
    ),
  )
}

function statusCommand(terminal: Terminal): Command {
  const command = new Command('status')
    .description('Show where tenants keep their objects and which schema they have.')
    .argument('[id...]', 'tenants; all where none is named')
  return ofRecords(command).action((ids: string[], options: RecordsOption) =>
    inSession(terminal, command, ({ out, attempt }) =>
      withEngine(terminal, options, async engine => {
        const chosen = ids.length > 0 ? ids : (await listTenants(engine)).map(tenant => tenant.id)
        for (const id of chosen)
          await attempt(async () => {
            const status = await tenantStatus(engine, id)
            await out.result(shown(status), `${line(status)}  ${schemaOf(status)}`)
          })
      }),
    ),
  )
}

interface DropCommandOptions extends RecordsOption {
  yes?: true
}

function dropCommand(terminal: Terminal): Command {
  const command = new Command('drop')
    .description(
      "Delete all files of a tenant, then its tables, the application's included. Stop what uses it first. What can't be deleted stops it; dropping again goes on.",
    )
    .argument('<id>', 'the tenant')
    .argument('<store>', 'URL of the store that has its files')
    .option('--yes', 'do it: nothing of it comes back')
  return ofRecords(command).action((id: string, store: string, options: DropCommandOptions) =>
    inSession(terminal, command, async ({ out, open, signal }) => {
      const provider = await open(store)
      await withEngine(terminal, options, async engine => {
        const tenant = await tenantStatus(engine, id)
        if (!options.yes)
          throw new UsageError(
            `this deletes all files of ${id} below ${JSON.stringify(tenant.root)} for ever; add --yes to do it`,
          )
        const report = await dropTenant(provider, engine, id, {
          env: terminal.env,
          signal,
        })
        const { deleted, orphans, foreign } = report
        const rest = foreign > 0 ? `; ${plural(foreign, 'object')} of others stay there` : ''
        const lost = orphans > 0 ? ` and ${plural(orphans, 'object')} without a record` : ''
        await out.done(
          { action: 'drop', ...report },
          `dropped ${id}: ${plural(deleted, 'file')}${lost}${rest}`,
        )
      })
    }),
  )
}

interface MoveCommandOptions {
  from: string
  to: string
  removeSource?: true
}

function moveCommand(terminal: Terminal): Command {
  const command = new Command('move')
    .description(
      'Move the records of a tenant to another database; its files stay where they are. Nobody can write to the old ones from then on. A move that was interrupted is ended by the same command.',
    )
    .argument('<id>', 'the tenant')
    .argument('<store>', 'URL of the store that has its files')
    .requiredOption('--from <url>', 'URL of the records as they are')
    .requiredOption('--to <url>', 'URL of the database that gets them')
    .option('--remove-source', 'remove the old tables when it has ended; else they stay under other names')
  return withOutputOptions(command).action((id: string, store: string, options: MoveCommandOptions) =>
    inSession(terminal, command, async ({ out, open, signal }) => {
      const provider = await open(store)
      const move = async (from: Engine, to: Engine) => {
        const { removeSource = false } = options
        const onTable = ({ name, rows }: { name: string; rows: number }) =>
          out.note(`${name}  ${plural(rows, 'row')}`)
        const report = await moveTenant(from, to, id, provider, { removeSource, onTable, signal })
        const rows = Object.values(report.rows).reduce((sum, count) => sum + count, 0)
        await out.done(
          { action: 'move', ...report },
          `moved ${id}: ${plural(rows, 'row')}, epoch ${report.epoch}. Point the application to the new database; gc waits for stowage audit --confirm`,
        )
      }
      await withEngine(terminal, { records: options.from }, from =>
        withEngine(terminal, { records: options.to }, to => move(from, to), { mayMake: true }),
      )
    }),
  )
}

const ofRecords = (command: Command) => withOutputOptions(withRecordsOption(command))

const isActive = ({ state }: Tenant) => state === 'active'

function shown(tenant: Tenant | TenantStatus): object {
  return { ...tenant, createdAt: tenant.createdAt.toISOString() }
}

function line({ id, root, state, createdAt }: Tenant): string {
  return `${humanDate(createdAt)}  ${id}  ${JSON.stringify(root)}${state === 'active' ? '' : `  ${state}`}`
}

function schemaOf({ schemaVersion, latestVersion }: TenantStatus): string {
  return schemaVersion < latestVersion
    ? `schema ${schemaVersion}, upgrade to ${latestVersion}`
    : `schema ${schemaVersion}`
}

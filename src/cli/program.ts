import { Command, CommanderError } from 'commander'
import { commandPath, everyCommand } from './command-path.ts'
import { auditCommand } from './commands/audit.ts'
import { catCommand } from './commands/cat.ts'
import { cpCommand } from './commands/cp.ts'
import { doctorCommand } from './commands/doctor.ts'
import { gcCommand } from './commands/gc.ts'
import { getCommand } from './commands/get.ts'
import { infoCommand } from './commands/info.ts'
import { lsCommand } from './commands/ls.ts'
import { migrateCommand } from './commands/migrate.ts'
import { mvCommand } from './commands/mv.ts'
import { putCommand } from './commands/put.ts'
import { recordsCommand } from './commands/records.ts'
import { rmCommand } from './commands/rm.ts'
import { s3Command } from './commands/s3.ts'
import { serveCommand } from './commands/serve.ts'
import { signCommand } from './commands/sign.ts'
import { tenantsCommand } from './commands/tenants.ts'
import { EXIT, EXIT_HELP, failureOf, Told } from './exit-codes.ts'
import { Output } from './output.ts'
import type { Terminal } from './terminal.ts'

const COMMANDS = [
  putCommand,
  getCommand,
  lsCommand,
  infoCommand,
  catCommand,
  cpCommand,
  mvCommand,
  rmCommand,
  signCommand,
  serveCommand,
  auditCommand,
  gcCommand,
  doctorCommand,
  tenantsCommand,
  recordsCommand,
  s3Command,
  migrateCommand,
]

const HELP = `
Stores are URLs:
  file:./data                        a folder; file:/srv/data is absolute
  s3://bucket/prefix?region=…        S3 and its like; ?endpoint=http://127.0.0.1:9000 for other servers
  supabase://bucket/prefix           Supabase Storage
  memory:                            this process, for trying out

Secrets come from the environment only: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or whatever else the AWS SDK
finds), SUPABASE_URL and SUPABASE_SERVICE_ROLE_KEY, STOWAGE_URL_SECRET and STOWAGE_BASE_URL for signed URLs of files.

Records of files are in a database, named by --records or STOWAGE_RECORDS:
  sqlite:./records.db                a file
  postgres://user@host/database      PostgreSQL; the password from PGPASSWORD. postgres: alone means DATABASE_URL
  rqlite://host:4001,host2:4001      rqlite; STOWAGE_RQLITE_USERNAME and STOWAGE_RQLITE_PASSWORD. rqlites: over TLS

Examples:
  stowage put photo.jpg file:./data a/photo.jpg
  stowage ls -l file:./data
  stowage cp -r file:./data s3://bucket
  stowage get s3://bucket a/photo.jpg
  stowage audit s3://bucket --records postgres://app@db/app

${EXIT_HELP}`

/** Runs the program. @returns its exit code */
export async function runProgram(
  argv: readonly string[],
  terminal: Terminal,
  version: string,
): Promise<number> {
  const json = argv.includes('--json')
  let name = ''
  const program = new Command('stowage')
    .description('Store files behind one interface: folders, S3, Supabase Storage.')
    .usage('<command> [options]')
    .version(version, '-V, --version', 'print the version')
    .addHelpText('after', HELP)
    .hook('preAction', (_, command) => {
      name = commandPath(command)
    })
    .configureHelp({
      subcommandTerm: command => `${command.name()} ${command.usage().replace('[options] ', '')}`,
    })
  for (const make of COMMANDS) program.addCommand(make(terminal))
  const all = everyCommand(program)
  for (const command of all) {
    command.helpOption('-h, --help', 'print help')
    if (command.commands.length > 0) command.helpCommand('help [command]', 'print help for a command')
    command.exitOverride(error => {
      name ||= commandPath(command)
      throw error
    })
    command.configureOutput({
      writeOut: text => void terminal.stdout.write(text),
      // Told below, in one line and in the form that was asked for.
      writeErr: () => {},
    })
  }
  try {
    if (argv.length === 0) {
      program.outputHelp()
      return EXIT.usage
    }
    await program.parseAsync([...argv], { from: 'user' })
    return EXIT.ok
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return EXIT.ok
      const arguments_ = all.find(one => commandPath(one) === name)?.usage() ?? ''
      usage(told(error, argv, arguments_), name, json, terminal)
      return EXIT.usage
    }
    if (terminal.signal.aborted) return exitOf(terminal.signal.reason)
    if (error instanceof Told) return error.exitCode
    new Output(terminal, name, { json }).fail(error)
    return failureOf(error).exitCode
  }
}

/** Commander has no words for these two. */
function told(error: CommanderError, argv: readonly string[], usage: string): CommanderError {
  const { code, exitCode } = error
  if (code === 'commander.help')
    return new CommanderError(exitCode, 'commander.unknownCommand', `unknown command '${argv.at(-1)}'`)
  if (code === 'commander.missingArgument' && error.message.includes("'arguments'"))
    return new CommanderError(exitCode, code, `use ${usage.replace('[options] ', '')}`)
  return error
}

function usage(error: CommanderError, name: string, json: boolean, terminal: Terminal): void {
  const program = `stowage${name && ` ${name}`}`
  // Other programs have the key in the URL of the store.
  const hint =
    error.code === 'commander.missingArgument' && error.message.includes("'key'")
      ? `: name it behind the store, as in ${program} s3://bucket a/photo.jpg`
      : `; see ${program} --help`
  const message = error.message
    .replace(/^error: /, '')
    .replace(/\s+/g, ' ')
    .replace(/\.$/, '')
  const text = json
    ? JSON.stringify({ error: { code: 'usage', message, exitCode: EXIT.usage } })
    : `${program}: ${message}${message.endsWith('?)') ? '' : hint}`
  terminal.stderr.write(`${text}\n`)
}

/** Why the program was ended, as the reason of its signal. */
export class Ended extends Error {
  override readonly name = 'Ended'
  readonly exitCode: number

  constructor(exitCode: number) {
    super('ended from outside')
    this.exitCode = exitCode
  }
}

function exitOf(reason: unknown): number {
  return reason instanceof Ended ? reason.exitCode : EXIT.interrupted
}

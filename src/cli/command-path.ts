import type { Command } from 'commander'

/** What is typed behind `stowage` to get there: `tenants list`. Empty for the program itself. */
export function commandPath(command: Command): string {
  const above = command.parent === null ? '' : commandPath(command.parent)
  if (command.parent === null) return ''
  return above === '' ? command.name() : `${above} ${command.name()}`
}

/** A command and all below it. */
export function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)]
}

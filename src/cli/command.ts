import { type AddHelpTextContext, Command } from 'commander';
import type { Where } from './session.js';

/** What the help of a command says. */
export interface Help {
  /** One line, for the list of commands. */
  readonly summary: string;
  readonly description: string;
  /** What it does to the directory. */
  readonly directory: string;
  /** When it exits with what, where there is more to say than of every command. */
  readonly exit?: string;
  readonly examples: readonly (readonly [command: string, what: string])[];
}

/** A command about one directory, with the options that all of them have. */
export function directoryCommand(name: string, help: Help): Command {
  return new Command(name)
    .summary(help.summary)
    .description(help.description)
    .argument('<dir>', 'the directory')
    .option('-p, --prefix <name>', "the store's filePrefix, where several share the directory", 'duro')
    .option('--json', 'JSON instead of text, also of errors')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', (context) => after(help, context));
}

export interface CommonOptions {
  readonly prefix: string;
}

export const whereOf = (directory: string, { prefix }: CommonOptions): Where => ({
  directory,
  filePrefix: prefix,
});

function after({ directory, exit, examples }: Help, { command }: AddHelpTextContext): string {
  const { getOutHelpWidth } = command.configureOutput();
  const wrap = (text: string): string => `\n${command.createHelp().boxWrap(text, getOutHelpWidth?.() ?? 80)}`;
  const width = Math.max(...examples.map(([example]) => example.length));
  return [
    wrap(`The directory: ${directory}`),
    ...(exit === undefined ? [] : [wrap(`Exit codes: ${exit}`)]),
    '\nExamples:',
    ...examples.map(([example, what]) => `  ${example.padEnd(width)}  # ${what}`),
  ].join('\n');
}

import { createRequire } from 'node:module';
import { Command } from 'commander';
import { bench } from './commands/bench.js';
import { copy } from './commands/copy.js';
import { dead } from './commands/dead.js';
import { deletion } from './commands/delete.js';
import { dequeue } from './commands/dequeue.js';
import { dump } from './commands/dump.js';
import { enqueue } from './commands/enqueue.js';
import { exportation } from './commands/export.js';
import { importation } from './commands/import.js';
import { repair } from './commands/repair.js';
import { stats } from './commands/stats.js';
import { tail } from './commands/tail.js';
import { verify } from './commands/verify.js';
import type { Start } from './session.js';

/** In the order of the help: what only looks, what uses a queue, what hands over, what mends, what measures. */
const COMMANDS = [
  stats,
  verify,
  dump,
  tail,
  enqueue,
  dequeue,
  dead,
  deletion,
  exportation,
  importation,
  copy,
  repair,
  bench,
] as const;

const AFTER = `
Exit codes: 0 fine; 1 findings: what was looked at is not as it was written; 2 wrong usage, or it could not be done.
durostore COMMAND --help has examples, and says what the command does to the directory.
Every command may be used while others work in the directory, but repair, which needs it alone.`;

/** The arguments that are understood. `json`: how mistakes in them are told. */
export function makeProgram(start: Start, json: boolean): Command {
  const program = new Command('durostore')
    .description('Looks after directories of durable queues and logs, and works with them in pipes.')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', AFTER);
  for (const make of COMMANDS) program.addCommand(make(start));
  for (const command of [program, ...program.commands]) prepare(command, json);
  return program;
}

function prepare(command: Command, json: boolean): void {
  command.exitOverride().configureOutput({
    outputError: (text, write) => {
      const message = text.replace(/^error: /, '').trimEnd();
      if (json) write(`${JSON.stringify({ error: { code: 'USAGE', message } })}\n`);
      else write(`durostore: ${message}\nSee: ${helpOf(command)}\n`);
    },
  });
}

const helpOf = (command: Command): string =>
  command.parent === null ? 'durostore --help' : `durostore ${command.name()} --help`;

function version(): string {
  // The package's own name leads to it from wherever this was compiled to.
  const manifest: unknown = createRequire(import.meta.url)('durostore/package.json');
  return (manifest as { version: string }).version;
}

import { CommanderError } from 'commander';
import { ExitCode } from './exit-codes.js';
import { Interruption } from './interruption.js';
import { Notes } from './notes.js';
import { Output, OutputClosed } from './output.js';
import { makeProgram } from './program.js';

/** Does what the arguments say. Resolves with the exit code, and whether a signal ended it. */
export async function run(args: readonly string[]): Promise<{ code: number; interrupted: boolean }> {
  const interruption = new Interruption();
  const { signal } = interruption;
  const json = asksForJson(args);
  const notes = new Notes(process.stderr, json);
  const out = new Output(process.stdout, signal);
  let code: number = ExitCode.fine;
  try {
    const program = makeProgram(async (where, work) => {
      code = await work({ ...where, json, out, notes, signal });
    }, json);
    await program.parseAsync(args, { from: 'user' });
    if (!signal.aborted) await out.handOver();
  } catch (error) {
    // A reader that goes away has what it wanted.
    if (!(error instanceof OutputClosed)) code = tell(error, notes, interruption);
  } finally {
    interruption.end();
  }
  return { code, interrupted: signal.aborted };
}

/** Also where the arguments are wrong, and nobody comes to parse them all. */
function asksForJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return (end === -1 ? args : args.slice(0, end)).includes('--json');
}

function tell(error: unknown, notes: Notes, interruption: Interruption): number {
  if (interruption.signal.aborted && error === interruption.signal.reason) return interruption.exitCode;
  // What is wrong with the call was told when it was parsed.
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.fine : ExitCode.failed;
  notes.failure(error);
  return ExitCode.failed;
}

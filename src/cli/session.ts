import type { Notes } from './notes.js';
import type { Output } from './output.js';

/** Which store a command is about. */
export interface Where {
  readonly directory: string;
  readonly filePrefix: string | undefined;
}

/** What a command has to work with. */
export interface Session extends Where {
  readonly json: boolean;
  readonly out: Output;
  readonly notes: Notes;
  /** Aborts when a signal asks the program to end. */
  readonly signal: AbortSignal;
}

/** A command's work; it resolves with the exit code. */
export type Work = (session: Session) => Promise<number>;

/** Does the work of the command that was called. */
export type Start = (where: Where, work: Work) => Promise<void>;

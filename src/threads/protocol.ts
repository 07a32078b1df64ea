import type { MessagePort } from 'node:worker_threads';
import type { ThreadMessage } from './thread-function.js';

/** What a thread is to do. */
export interface Task {
  /** URL of the module, and which of its exports. */
  readonly module: string;
  readonly name: string;
  readonly message: ThreadMessage<unknown>;
  /** Where the two talk while the function runs: orders in, news out. */
  readonly port: MessagePort;
}

/** An error that crosses threads; what its class was does not. */
export interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly code: string | undefined;
  readonly stack: string | undefined;
}

/** To the thread. */
export type Order =
  | { readonly order: 'abort'; readonly reason: PlainError }
  | { readonly order: 'progressed'; readonly id: number; readonly error: PlainError | undefined };

/**
 * From the thread. `ended` is the last, behind all progress: a task's result comes on another port, and would overtake
 * what was said here.
 */
export type News =
  | { readonly news: 'begun' }
  | { readonly news: 'progress'; readonly id: number; readonly value: unknown }
  | { readonly news: 'ended'; readonly error: PlainError | undefined };

export function plainError(thrown: unknown): PlainError {
  if (!(thrown instanceof Error))
    return { name: 'Error', message: textOf(thrown), code: undefined, stack: undefined };
  const { name, message, stack } = thrown;
  const code = 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined;
  return { name, message, code, stack };
}

export function errorFrom({ name, message, code, stack }: PlainError): Error {
  const error = new Error(message);
  Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true });
  if (stack !== undefined) error.stack = stack;
  return code === undefined ? error : Object.assign(error, { code });
}

function textOf(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return 'something without a text was thrown';
  }
}

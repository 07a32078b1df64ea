import { DurostoreError } from '../mod.js';
import { textOf } from './text.js';

/** How a line becomes a message, and a message a line. */
export interface MessageForm {
  /** What the messages in the store are. */
  readonly codec: 'json' | 'bytes';
  /** Lines are JSON, any value; otherwise they are text, a string. */
  readonly jsonLines: boolean;
}

export interface MessageFormOptions {
  readonly codec: 'json' | 'bytes';
  readonly jsonLines?: boolean;
}

export const messageForm = ({ codec, jsonLines }: MessageFormOptions): MessageForm => ({
  codec,
  jsonLines: jsonLines === true,
});

/** The message that a line is. INVALID_VALUE where it is none; `name` says which line it is. */
export function messageOf(line: Uint8Array, { codec, jsonLines }: MessageForm, name: string): unknown {
  if (codec === 'bytes') return line;
  const text = textOf(line);
  if (text === undefined)
    throw new DurostoreError(
      'INVALID_VALUE',
      `${name} is not UTF-8, which the codec 'json' cannot hold. Correct it, or use --codec bytes`,
    );
  if (!jsonLines) return text;
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DurostoreError(
      'INVALID_VALUE',
      `${name} is not JSON: ${reason}. Correct it, or leave --json-lines out`,
      error,
    );
  }
}

const NEWLINE = Buffer.from('\n');

/** The line that a message is, its newline included. Text may have newlines of its own; as JSON nothing has. */
export function lineOf(value: unknown, { jsonLines }: MessageForm): Uint8Array | string {
  if (value instanceof Uint8Array) return Buffer.concat([value, NEWLINE]);
  return `${typeof value === 'string' && !jsonLines ? value : JSON.stringify(value)}\n`;
}

import { addAbortSignal, type Readable } from 'node:stream';
import { DurostoreError } from '../mod.js';

const NEWLINE = 0x0a;

/** No record is larger, so a line that has no end by then never becomes one. */
const LONGEST_LINE = 64 * 1024 * 1024;

/**
 * Lines as bytes, those that came together in one array; the last one may lack its newline. Only a newline ends a line, so
 * that everything else comes through as it is, a carriage return before it too; `node:readline` takes more for an end.
 * Rejects with the signal's reason when it aborts, with RECORD_TOO_LARGE where a line is longer than `longest` bytes.
 */
export async function* inputLines(
  source: Readable,
  signal: AbortSignal,
  longest: number = LONGEST_LINE,
): AsyncGenerator<Buffer[], undefined> {
  signal.throwIfAborted();
  addAbortSignal(signal, source);
  const rest: Buffer[] = [];
  let restBytes = 0;
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      const lines: Buffer[] = [];
      let from = 0;
      for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
        lines.push(Buffer.concat([...rest.splice(0), chunk.subarray(from, at)]));
        restBytes = 0;
        from = at + 1;
      }
      if (lines.length > 0) yield lines;
      if (from === chunk.length) continue;
      rest.push(chunk.subarray(from));
      restBytes += chunk.length - from;
      if (restBytes > longest) throw tooLong(longest);
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
  if (rest.length > 0) yield [Buffer.concat(rest)];
}

const tooLong = (longest: number): DurostoreError =>
  new DurostoreError(
    'RECORD_TOO_LARGE',
    `a line of the input is longer than ${longest} bytes. Nothing of it was written: split it`,
  );

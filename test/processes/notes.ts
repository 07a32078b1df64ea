import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';

/** Lines of words in a file that outlive the process that wrote them, however it ends. */
export class Notes {
  readonly #descriptor: number;

  constructor(path: string) {
    this.#descriptor = openSync(path, 'a');
  }

  /** Several lines at once, each of words without blanks. */
  write(lines: readonly (readonly (string | number)[])[]): void {
    writeSync(this.#descriptor, lines.map((words) => `${words.join(' ')}\n`).join(''));
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/** The whole lines of such a file; none where it was not even created. */
export function readNotes(path: string): string[][] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return [];
  }
  return wholeLines(text);
}

const STEP = 1024 * 1024;

/** Reads such a file while it is written. */
export class NotesReader {
  readonly path: string;
  readonly #buffer = Buffer.alloc(STEP);
  #position = 0;

  constructor(path: string) {
    this.path = path;
  }

  /** Bytes read so far. */
  get position(): number {
    return this.#position;
  }

  /** Tells of the whole lines that came since. */
  read(line: (words: string[]) => void): void {
    let descriptor: number;
    try {
      descriptor = openSync(this.path, 'r');
    } catch {
      return;
    }
    try {
      for (;;) {
        const length = readSync(descriptor, this.#buffer, 0, STEP, this.#position);
        const whole = this.#buffer.subarray(0, length).lastIndexOf('\n') + 1;
        if (whole === 0) return;
        for (const words of wholeLines(this.#buffer.toString('utf8', 0, whole))) line(words);
        this.#position += whole;
      }
    } finally {
      closeSync(descriptor);
    }
  }
}

const wholeLines = (text: string): string[][] =>
  text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split(' '));

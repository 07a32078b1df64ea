import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';

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
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split(' '));
}

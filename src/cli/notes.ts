import { DurostoreError } from '../mod.js';
import { type Paint, paintOn } from './paint.js';

/** Standard error: what is said beside the output. Who asked for JSON gets one document a line here, too. */
export class Notes {
  readonly #stream: NodeJS.WriteStream;
  readonly #json: boolean;
  readonly #paint: Paint;

  constructor(stream: NodeJS.WriteStream, json: boolean) {
    this.#stream = stream;
    this.#json = json;
    this.#paint = paintOn(stream);
    // Nobody is left to be told.
    stream.on('error', () => {});
  }

  /** `facts` is what `text` says, for programs. */
  note(text: string, facts: Readonly<Record<string, unknown>>): void {
    this.#write(this.#json ? JSON.stringify(facts) : `durostore: ${text}`);
  }

  /** Something failed: its code, what happened and what to do about it. */
  failure(error: unknown): void {
    const { code, message } = describe(error);
    if (this.#json) this.#write(JSON.stringify({ error: { code, message } }));
    else this.#write(`durostore: ${this.#paint('red', code)}: ${message}`);
  }

  #write(line: string): void {
    this.#stream.write(`${line}\n`);
  }
}

function describe(error: unknown): { code: string; message: string } {
  if (error instanceof DurostoreError) return { code: error.code, message: error.message };
  if (!(error instanceof Error)) return { code: 'FAILED', message: String(error) };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  // What has no code nobody expected: whoever mends it needs to know where it was.
  return code === undefined
    ? { code: 'FAILED', message: error.stack ?? error.message }
    : { code, message: error.message };
}

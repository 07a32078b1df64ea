import { setImmediate as turn } from 'node:timers/promises';
import { type Paint, paintOn } from './paint.js';

/** The reader of the output went away (EPIPE). */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed';
}

/** For what is printed at the end of work whose outcome is told by the exit code: a reader that goes away changes none. */
export async function untilClosed(printing: Promise<void>): Promise<void> {
  try {
    await printing;
  } catch (error) {
    if (!(error instanceof OutputClosed)) throw error;
  }
}

/** So much is written at a stretch before signals get their turn. */
const STRETCH = 64 * 1024;

/** Standard output, which never takes more than its reader does. */
export class Output {
  readonly paint: Paint;
  readonly #stream: NodeJS.WriteStream;
  readonly #signal: AbortSignal;
  #failure: Error | undefined;
  #stretch = 0;

  constructor(stream: NodeJS.WriteStream, signal: AbortSignal) {
    this.paint = paintOn(stream);
    this.#stream = stream;
    this.#signal = signal;
    stream.on('error', this.#fail);
  }

  get isTerminal(): boolean {
    return this.#stream.isTTY === true;
  }

  /** Resolves when there is room for more. Rejects with OutputClosed, the stream's error, or the signal's reason. */
  async put(chunk: string | Uint8Array): Promise<void> {
    this.#assertOpen();
    this.#stretch += chunk.length;
    if (!this.#stream.write(chunk)) {
      await this.#until((done) => this.#stream.once('drain', done));
    } else if (this.#stretch > STRETCH) {
      this.#stretch = 0;
      await turn();
      this.#assertOpen();
    }
  }

  /** Resolves when everything is in the system's hands. Rejects as `put` does. */
  async handOver(): Promise<void> {
    this.#assertOpen();
    await this.#until((done) =>
      this.#stream.write('', (error) => {
        this.#fail(error);
        done();
      }),
    );
  }

  /**
   * Whether everything that was put, and `last`, comes into the system's hands within a time, also when the program was asked
   * to end.
   */
  isHandedOver(withinMs: number, last: string | Uint8Array = ''): Promise<boolean> {
    if (this.#failure !== undefined) return Promise.resolve(false);
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), withinMs);
      this.#stream.write(last, (error) => {
        this.#fail(error);
        clearTimeout(timer);
        resolve(this.#failure === undefined);
      });
    });
  }

  async line(text: string): Promise<void> {
    await this.put(`${text}\n`);
  }

  /** A value as a line of JSON. */
  async json(value: unknown): Promise<void> {
    await this.line(JSON.stringify(value));
  }

  /** Waits for what `begin` begins to wait for, but no longer than the stream and the program go on. */
  async #until(begin: (done: () => void) => void): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#stream.removeListener('error', done);
        this.#signal.removeEventListener('abort', done);
        resolve();
      };
      this.#stream.once('error', done);
      this.#signal.addEventListener('abort', done);
      begin(done);
    });
    this.#assertOpen();
  }

  readonly #fail = (error: NodeJS.ErrnoException | null | undefined): void => {
    if (error === null || error === undefined) return;
    const isClosed = error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED';
    this.#failure ??= isClosed ? new OutputClosed() : error;
  };

  #assertOpen(): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.#signal.throwIfAborted();
  }
}

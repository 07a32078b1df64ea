import { SingleBar } from 'cli-progress';

/** How far long work has got: a bar on standard error, where that is a terminal, and nothing anywhere else. */
export class Progress {
  readonly #bar: SingleBar | undefined;
  #started = false;

  /** `format`: what is shown, in the words of cli-progress; nothing is where there is none. */
  constructor(format: string | undefined, stream: NodeJS.WriteStream = process.stderr) {
    if (format !== undefined)
      this.#bar = new SingleBar({
        format,
        stream,
        clearOnComplete: true,
        gracefulExit: false,
        hideCursor: null,
      });
  }

  update(done: number, total: number): void {
    if (this.#bar === undefined) return;
    if (this.#started) {
      this.#bar.setTotal(total);
      this.#bar.update(done);
    } else {
      this.#started = true;
      this.#bar.start(total, done);
    }
  }

  /** Takes it off the screen. */
  end(): void {
    if (this.#started) this.#bar?.stop();
  }
}

/** With a bar during `work`. */
export async function withProgress<T>(
  format: string | undefined,
  work: (progress: Progress) => Promise<T>,
): Promise<T> {
  const progress = new Progress(format);
  try {
    return await work(progress);
  } finally {
    progress.end();
  }
}

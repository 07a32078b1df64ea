/**
 * Keeps the process alive while somebody waits. Timers and watches of this library do not, so that an open store does not
 * stop a program from ending; but a program whose only work is to wait for a message must not end under it.
 */
export class KeepAlive {
  #holders = 0;
  #timer: NodeJS.Timeout | undefined;

  hold(): void {
    this.#holders += 1;
    if (this.#holders > 1) return;
    // The longest interval Node's timers take; it does nothing when it fires. Kept, for waits come again and again.
    this.#timer ??= setInterval(() => {}, 2 ** 31 - 1);
    this.#timer.ref();
  }

  /** Once for each `hold`. */
  release(): void {
    this.#holders -= 1;
    if (this.#holders === 0) this.#timer?.unref();
  }

  /** Nobody holds any more. */
  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

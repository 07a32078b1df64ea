/**
 * Keeps the process alive while somebody waits. Timers and watches of this library do not, so that an open store does not
 * stop a program from ending; but a program whose only work is to wait for a message must not end under it.
 */
export class KeepAlive {
  #holders = 0;
  #timer: NodeJS.Timeout | undefined;

  /** Holds until the returned function is called. */
  hold(): () => void {
    this.#holders += 1;
    // The longest interval Node's timers take; it does nothing when it fires.
    this.#timer ??= setInterval(() => {}, 2 ** 31 - 1);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#holders -= 1;
      if (this.#holders > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }
}

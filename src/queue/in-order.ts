/**
 * Has calls done in the order in which they came, though something has to be waited for first: while that lasts, all that come
 * queue up, and then they are done in one piece of code, so that none that comes later passes them by.
 */
export class InOrder {
  #waiting: (() => void)[] | undefined;

  /** Whether calls have to queue up now. */
  get isWaiting(): boolean {
    return this.#waiting !== undefined;
  }

  /** Lets all calls from now on wait until `ready` has settled, whichever way. Not while others wait. */
  hold(ready: Promise<void>): void {
    this.#waiting = [];
    const goOn = (): void => {
      const waiting = this.#waiting ?? [];
      this.#waiting = undefined;
      for (const call of waiting) call();
    };
    ready.then(goOn, goOn);
  }

  /** Does it when its turn has come; what it throws is the promise's. */
  run<T>(call: () => Promise<T>): Promise<T> {
    if (this.#waiting === undefined) return call();
    const waiting = this.#waiting;
    return new Promise<T>((resolve, reject) => {
      waiting.push(() => {
        try {
          call().then(resolve, reject);
        } catch (error) {
          reject(error);
        }
      });
    });
  }
}

class Listeners {
  readonly #signal: AbortSignal;
  readonly #all = new Set<() => void>();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', this.#tell, { once: true });
  }

  /** In the order in which they come. The same function may come twice. */
  add(listener: () => void): () => void {
    const own = (): void => listener();
    this.#all.add(own);
    return () => {
      // Node keeps a signal of a timer alive for as long as somebody listens.
      if (this.#all.delete(own) && this.#all.size === 0) this.#end();
    };
  }

  /** One that another one takes back meanwhile is not called any more. */
  readonly #tell = (): void => {
    this.#end();
    for (const listener of this.#all) {
      try {
        listener();
      } catch (error) {
        // As Node does with what its listeners throw: the others are told all the same.
        process.nextTick(() => {
          throw error;
        });
      }
    }
  };

  #end(): void {
    this.#signal.removeEventListener('abort', this.#tell);
    listening.delete(this.#signal);
  }
}

/** Those of each signal that has any. */
const listening = new WeakMap<AbortSignal, Listeners>();

/**
 * Calls `listener` once when the signal aborts; never where it has aborted already, as with Node. Returns what takes it back.
 * All who listen to a signal here are one listener to Node, which warns of a leak where there are more than ten: a hundred calls
 * may well wait with the same signal.
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  if (signal.aborted) return () => {};
  let listeners = listening.get(signal);
  if (listeners === undefined) {
    listeners = new Listeners(signal);
    listening.set(signal, listeners);
  }
  return listeners.add(listener);
}

import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { Piscina } from 'piscina';
import type { Delivery } from '../mod.js';
import type { ResolvedThreadHandlerOptions } from './options.js';
import { errorFrom, type News, type Order, type PlainError, plainError, type Task } from './protocol.js';

/** One message in a thread: forwards what the delivery's signal says, and the progress that comes back. */
export class ThreadRun {
  readonly #delivery: Delivery<unknown>;
  readonly #options: ResolvedThreadHandlerOptions;
  readonly #port: MessagePort;
  readonly #task: Task;
  readonly #kill = new AbortController();
  readonly #progressing = new Set<Promise<void>>();
  #hasBegun = false;
  #graceTimer: NodeJS.Timeout | undefined;
  #ended: (error: PlainError | undefined) => void = () => {};

  constructor(delivery: Delivery<unknown>, options: ResolvedThreadHandlerOptions) {
    const { port1, port2 } = new MessageChannel();
    const { value, index, attempt, headers, enqueuedAt } = delivery;
    this.#delivery = delivery;
    this.#options = options;
    this.#port = port1;
    this.#task = {
      module: options.module,
      name: options.name,
      message: { value, index, attempt, headers, enqueuedAt },
      port: port2,
    };
  }

  /** Resolves when the function has returned; rejects with what it threw, or with the signal's reason if its thread was ended. */
  async in(pool: Piscina): Promise<void> {
    const { signal } = this.#delivery;
    signal.throwIfAborted();
    signal.addEventListener('abort', this.#abort, { once: true });
    this.#port.on('message', this.#hear);
    const ended = new Promise<PlainError | undefined>((resolve) => {
      this.#ended = resolve;
    });
    try {
      await pool.run(this.#task, { transferList: [this.#task.port], signal: this.#kill.signal });
      const error = await ended;
      await Promise.allSettled(this.#progressing);
      if (error !== undefined) throw errorFrom(error);
    } catch (error) {
      throw this.#kill.signal.aborted ? signal.reason : error;
    } finally {
      signal.removeEventListener('abort', this.#abort);
      clearTimeout(this.#graceTimer);
      this.#port.close();
    }
  }

  readonly #abort = (): void => {
    this.#say({ order: 'abort', reason: plainError(this.#delivery.signal.reason) });
    if (this.#hasBegun) this.#graceTimer = setTimeout(() => this.#kill.abort(), this.#options.graceMs);
    else this.#kill.abort();
  };

  readonly #hear = (news: News): void => {
    if (news.news === 'begun') this.#hasBegun = true;
    else if (news.news === 'ended') this.#ended(news.error);
    else {
      const progressing = this.#progress(news.id, news.value);
      this.#progressing.add(progressing);
      void progressing.finally(() => this.#progressing.delete(progressing));
    }
  };

  async #progress(id: number, value: unknown): Promise<void> {
    try {
      await this.#delivery.progress(value);
      this.#say({ order: 'progressed', id, error: undefined });
    } catch (error) {
      this.#say({ order: 'progressed', id, error: plainError(error) });
    }
  }

  #say(order: Order): void {
    this.#port.postMessage(order);
  }
}

import { invalid } from '../store/options.js';
import type { Delivery } from './delivery.js';
import { QueueWorker, type WorkerQueue } from './worker.js';
import type { Worker, WorkerOptions } from './worker-contract.js';
import { resolveWorkerOptions } from './worker-options.js';

/** The workers of a queue that are not closed. */
export class Workers<T> {
  readonly #queue: WorkerQueue<T>;
  readonly #open = new Set<Worker>();

  constructor(queue: WorkerQueue<T>) {
    this.#queue = queue;
  }

  /** INVALID_OPTION. */
  start(handler: (delivery: Delivery<T>) => unknown, options?: WorkerOptions): Worker {
    if (typeof handler !== 'function') throw invalid('handler', 'a function', handler);
    const resolved = resolveWorkerOptions(options, this.#queue.leaseMs);
    const worker: Worker = new QueueWorker(this.#queue, handler, resolved, () => this.#open.delete(worker));
    this.#open.add(worker);
    return worker;
  }

  /** Closes them, then does what may be done only behind them; at once where there are none. */
  closeBefore(rest: () => Promise<void>): Promise<void> {
    if (this.#open.size === 0) return rest();
    return Promise.all([...this.#open].map((worker) => worker.close())).then(rest);
  }
}

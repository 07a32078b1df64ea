/** What runs in each thread: calls the user's function for one message after the other. */
import { receiveMessageOnPort } from 'node:worker_threads';
import { errorFrom, type News, type Order, type PlainError, plainError, type Task } from './protocol.js';
import type { ThreadContext, ThreadFunction } from './thread-function.js';

/** Never rejects: how it went is the last thing said on the task's port. */
export default async function runTask({ module, name, message, port }: Task): Promise<void> {
  const say = (news: News): void => port.postMessage(news);
  const abort = new AbortController();
  const progressing = new Map<number, { resolve(): void; reject(error: Error): void }>();
  let ids = 0;

  const obey = (order: Order): void => {
    if (order.order === 'abort') return void abort.abort(errorFrom(order.reason));
    const waiting = progressing.get(order.id);
    progressing.delete(order.id);
    if (order.error === undefined) waiting?.resolve();
    else waiting?.reject(errorFrom(order.error));
  };
  const context: ThreadContext = {
    get signal() {
      // A loop that never awaits lets no message in.
      for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port))
        obey(next.message);
      return abort.signal;
    },
    progress(value) {
      const told = new Promise<void>((resolve, reject) => {
        const id = ++ids;
        say({ news: 'progress', id, value });
        progressing.set(id, { resolve, reject });
      });
      // Who does not wait for it does not end the thread by it.
      told.catch(() => undefined);
      return told;
    },
  };

  port.on('message', obey);
  say({ news: 'begun' });
  let error: PlainError | undefined;
  try {
    const work = await functionOf(module, name);
    await work(message, context);
  } catch (thrown) {
    error = plainError(thrown);
  }
  say({ news: 'ended', error });
}

async function functionOf(module: string, name: string): Promise<ThreadFunction<unknown>> {
  const exports: Record<string, unknown> = await import(module);
  const found = exports[name];
  if (typeof found !== 'function') throw new TypeError(`${module} exports no function '${name}'`);
  return found as ThreadFunction<unknown>;
}

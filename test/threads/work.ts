/** What threads do in the tests: as the message says. */
import { setTimeout as sleep } from 'node:timers/promises';
import { threadId } from 'node:worker_threads';
import type { ThreadContext, ThreadMessage } from '../../src/threads/mod.js';

export interface Job {
  readonly do: keyof typeof deeds;
  readonly ms?: number;
}

function busy(ms: number, goOn: () => boolean = () => true): void {
  const end = performance.now() + ms;
  while (performance.now() < end && goOn());
}

const deeds = {
  /** Calculates and never awaits, telling how far it has got. */
  calculate(ms: number, { progress }: ThreadContext) {
    for (let tenth = 1; tenth <= 10; tenth++) {
      busy(ms / 10);
      void progress(tenth * 10);
    }
  },
  async report(_ms: number, { progress }: ThreadContext) {
    await progress('half');
    await progress('done');
    void progress('forgotten');
  },
  async 'report badly'(_ms: number, { progress }: ThreadContext) {
    void progress(() => 'not to be copied');
    await progress('refused').catch((error: Error & { code?: string }) => {
      throw Object.assign(new Error(`told: ${error.message}`), { code: error.code });
    });
  },
  throw() {
    throw Object.assign(new RangeError('too far'), { code: 'E_FAR' });
  },
  'throw a text'() {
    throw 'text';
  },
  'throw what has no text'() {
    throw Object.create(null);
  },
  /** Ends when it is told to, with the reason. */
  async listen(ms: number, { signal, progress }: ThreadContext) {
    await progress('begun');
    await sleep(ms, undefined, { signal }).catch(() => {
      throw signal.reason;
    });
  },
  /** The same without ever awaiting. */
  poll(ms: number, context: ThreadContext) {
    void context.progress('begun');
    busy(ms, () => !context.signal.aborted);
    throw context.signal.reason;
  },
  deaf(ms: number) {
    busy(ms);
  },
  exit() {
    process.exit(3);
  },
  async 'fail outside'() {
    setImmediate(() => {
      throw new Error('outside');
    });
    await sleep(60_000);
  },
  nothing() {},
} satisfies Record<string, (ms: number, context: ThreadContext) => unknown>;

export default function work({ value }: ThreadMessage<Job>, context: ThreadContext): unknown {
  return deeds[value.do](value.ms ?? 0, context);
}

/** Tells what it was given, as progress. */
export async function echo(message: ThreadMessage<unknown>, { progress }: ThreadContext): Promise<void> {
  await progress({ ...message, isThread: threadId > 0 });
}

export const notAFunction = 1;

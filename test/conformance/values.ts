import type { Delivery, Entry, EntryRange, Store } from '../../src/mod.js';

export const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

export const text = (data: Uint8Array | undefined): string | undefined =>
  data === undefined ? undefined : Buffer.from(data).toString();

/** As somebody calls who has no types. */
export const untyped = <T>(value: unknown): T => value as T;

export async function entriesOf(store: Store, range?: EntryRange): Promise<Entry[]> {
  const all: Entry[] = [];
  for await (const entry of store.entries(range)) all.push(entry);
  return all;
}

/** What is in a store, as text. */
export const textsOf = async (store: Store, range?: EntryRange): Promise<(string | undefined)[]> =>
  (await entriesOf(store, range)).map(({ data }) => text(data));

/** The delivery, where a test knows that there is one. */
export function had<T>(delivery: Delivery<T> | undefined): Delivery<T> {
  if (delivery === undefined) throw new Error('there was no message to claim');
  return delivery;
}

/** What became of a promise so far; it is nobody's business when it rejects. */
export function watched<T>(promise: Promise<T>): {
  readonly promise: Promise<T>;
  state: 'waiting' | 'resolved' | 'rejected';
} {
  const all: { promise: Promise<T>; state: 'waiting' | 'resolved' | 'rejected' } = {
    promise,
    state: 'waiting',
  };
  promise.then(
    () => {
      all.state = 'resolved';
    },
    () => {
      all.state = 'rejected';
    },
  );
  return all;
}

/** Resolves when a signal aborts, with its reason. */
export const aborted = (signal: AbortSignal): Promise<unknown> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve(signal.reason);
    else signal.addEventListener('abort', () => resolve(signal.reason), { once: true });
  });

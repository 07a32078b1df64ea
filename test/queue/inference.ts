import { openQueue as openInMemory } from '../../src/memory/mod.js';
import type { DurostoreError, Queue, StandardSchemaV1 } from '../../src/mod.js';
import { openQueue } from '../../src/mod.js';
import { type Order, orderByArkType, orderByValibot, orderByZod } from './schemas.js';

/** True where the two are the same type, and not only assignable. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

const holds = <_ extends true>(): void => {};

type Mutable = { id: number; lines: { article: string; count: number }[]; note: string };

/** Compiled, never run: what the compiler makes of queues with a schema, or fails on. */
export async function queuesWithSchemas(directory: string): Promise<void> {
  const byZod = await openQueue({ directory, schema: orderByZod });
  holds<Same<typeof byZod, Queue<Mutable>>>();
  const byValibot = await openQueue({ directory, schema: orderByValibot });
  holds<Same<typeof byValibot, Queue<Mutable>>>();
  const byArkType = await openQueue({ directory, schema: orderByArkType });
  holds<Same<typeof byArkType, Queue<Mutable>>>();
  const inMemory = await openInMemory({ schema: orderByZod });
  holds<Same<typeof inMemory, Queue<Mutable>>>();

  const untyped = await openQueue({ directory });
  holds<Same<typeof untyped, Queue<unknown>>>();
  const named = await openQueue<Order>({ directory, schema: orderByZod, validateOnRead: true });
  holds<Same<typeof named, Queue<Order>>>();
  holds<Same<Awaited<ReturnType<typeof byZod.dequeue>>, Mutable | undefined>>();

  // @ts-expect-error: no such value is an order
  await byZod.enqueue({ id: 'seven' });
  // @ts-expect-error: a schema of other values
  await openQueue<{ other: string }>({ directory, schema: orderByZod });
  const undefinedEverywhere = await openQueue<Order>({
    directory,
    schema: undefined,
    validateOnRead: undefined,
    maxAttempts: undefined,
    backoff: undefined,
    deduplication: undefined,
    deadLetters: undefined,
    codec: undefined,
  });
  await undefinedEverywhere.enqueue({ id: 1, lines: [], note: '' }, { id: undefined, key: undefined });
  undefinedEverywhere.on('error', (error) => holds<Same<typeof error, DurostoreError>>());
  const schema: StandardSchemaV1<unknown, Mutable> = orderByZod;
  await openQueue({ directory, schema });
}

import type { BareFiles } from '../disk/bare-files.js';
import { openQueue } from '../mod.js';

/** Kinds of work in their order: each goes on with what the one before it left. */
export const KINDS = [
  'enqueue, written',
  'enqueue, synced',
  'enqueueMany by 100, synced',
  'read in order',
  'dequeue, synced',
  'dequeueMany by 100, synced',
] as const;
export type Kind = (typeof KINDS)[number];

export interface Amount {
  /** Messages of the kinds that do not wait for the device for each. */
  readonly messages: number;
  /** Bytes of a message. */
  readonly size: number;
}

/** Does one kind of work after the other, and says for each how many messages it was done on; the caller takes the time. */
export type Contestant = (
  files: BareFiles,
  name: string,
  amount: Amount,
  step: (kind: Kind, work: () => Promise<number> | number) => Promise<void>,
) => Promise<void>;

const BATCH = 100;

/** Waiting for the device takes so much longer that fewer do. */
export const syncedSingly = ({ messages }: Amount): number => Math.ceil(messages / 50);

export const durostore: Contestant = async ({ directory }, name, amount, step) => {
  const { messages, size } = amount;
  const queue = await openQueue<Uint8Array>({ directory: `${directory}/${name}`, codec: 'bytes' });
  const value = Buffer.alloc(size, 'x');
  try {
    await step('enqueue, written', async () => {
      for (let n = 0; n < messages; n++) await queue.enqueue(value, { durability: 'written' });
      return messages;
    });
    await step('enqueue, synced', async () => {
      for (let n = 0; n < syncedSingly(amount); n++) await queue.enqueue(value);
      return syncedSingly(amount);
    });
    await step('enqueueMany by 100, synced', async () => {
      for (let n = 0; n < messages; n += BATCH) await queue.enqueueMany(new Array(BATCH).fill(value));
      return Math.ceil(messages / BATCH) * BATCH;
    });
    await step('read in order', async () => {
      let read = 0;
      for await (const { data } of queue.store.entries()) read += data.length === size ? 1 : 0;
      return read;
    });
    await step('dequeue, synced', async () => {
      for (let n = 0; n < syncedSingly(amount); n++) await queue.dequeue();
      return syncedSingly(amount);
    });
    await step('dequeueMany by 100, synced', async () => {
      let taken = 0;
      for (let some = BATCH; some > 0; taken += some) some = (await queue.dequeueMany(BATCH)).length;
      return taken;
    });
  } finally {
    await queue.close();
  }
};

/** What a removal writes down at least. */
const FACT = Buffer.alloc(52, 'f');

/** The same bytes through files. */
export const bareFiles: Contestant = async (files, name, amount, step) => {
  const { messages, size } = amount;
  const data = files.create(`${name}.data`);
  const facts = files.create(`${name}.facts`);
  const one = Buffer.alloc(size, 'x');
  const many = Buffer.alloc(size * BATCH, 'x');
  let end = 0;
  const append = (bytes: Buffer): void => {
    data.write(bytes, 0, bytes.length, end);
    end += bytes.length;
  };
  let at = 0;
  let factsEnd = 0;
  const take = async (into: Buffer): Promise<number> => {
    const read = data.read(into, 0, into.length, at);
    at += read;
    facts.write(FACT, 0, FACT.length, factsEnd);
    factsEnd += FACT.length;
    await facts.sync();
    return Math.floor(read / size);
  };
  await step('enqueue, written', () => {
    for (let n = 0; n < messages; n++) append(one);
    return messages;
  });
  await step('enqueue, synced', async () => {
    for (let n = 0; n < syncedSingly(amount); n++) {
      append(one);
      await data.sync();
    }
    return syncedSingly(amount);
  });
  await step('enqueueMany by 100, synced', async () => {
    for (let n = 0; n < messages; n += BATCH) {
      append(many);
      await data.sync();
    }
    return Math.ceil(messages / BATCH) * BATCH;
  });
  await step('read in order', () => {
    let read = 0;
    for (let from = 0; from < end; from += size)
      read += data.read(Buffer.alloc(size), 0, size, from) === size ? 1 : 0;
    return read;
  });
  await step('dequeue, synced', async () => {
    for (let n = 0; n < syncedSingly(amount); n++) await take(one);
    return syncedSingly(amount);
  });
  await step('dequeueMany by 100, synced', async () => {
    let taken = 0;
    for (let some = BATCH; some > 0; taken += some) some = await take(many);
    return taken;
  });
};

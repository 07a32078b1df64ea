import { type Delivery, DurostoreError, type Queue } from '../../src/mod.js';
import { type Deeds, LONG_LEASE_MS, NEVER, nameOf } from './soak-plan.js';
import type { Workplace } from './soak-workplace.js';

/**
 * Takes messages in all ways. Notes before each call: `ask`, number of the call, how, how many, when; behind it `got`, number of
 * the call, when, and index, attempt and name of each (of what is dequeued only the name is told). Then of each, with index and
 * attempt: `acking` and, with when, `acked`; or `nacking`; and, with when, `late` where its lease was over. Of
 * deletions `deleting`, index, and `deleted`, index, how many, when; of what is read `saw`, index, name.
 */
export async function consume(at: Workplace): Promise<void> {
  const consumer = new Consumer(at);
  const { deeds, holdOneIn = NEVER } = at.plan.consumers;
  const choices = Object.entries(deeds).flatMap(([deed, weight]: [string, number]) =>
    Array.from({ length: weight }, () => deed as keyof Deeds),
  );
  try {
    for (let calls = 1; !at.signal.aborted; calls++) {
      const hasTrouble = await consumer.do(at.chance.pick(choices), calls % holdOneIn === 0);
      if (hasTrouble || calls % (at.plan.reopenEvery ?? NEVER) === 0) await at.close();
    }
  } catch (error) {
    if (!at.signal.aborted || error !== at.signal.reason) throw error;
  }
  await at.close();
}

class Consumer {
  readonly #at: Workplace;
  readonly #wait: { waitMs: number; signal: AbortSignal };
  #calls = 0;

  constructor(at: Workplace) {
    this.#at = at;
    this.#wait = { waitMs: Number.POSITIVE_INFINITY, signal: at.signal };
  }

  /** Whether the queue is to be closed now. */
  async do(deed: keyof Deeds, holds: boolean): Promise<boolean> {
    const queue = await this.#at.queue();
    switch (deed) {
      case 'claim':
        return this.#claim(queue, holds);
      case 'dequeue':
        return this.#dequeue(queue);
      case 'delete':
        return this.#delete(queue);
      case 'read':
        return this.#read(queue);
    }
  }

  async #claim(queue: Queue<string>, holds: boolean): Promise<boolean> {
    const { chance, plan, notes } = this.#at;
    const { batch, leaseMs = LONG_LEASE_MS } = plan.consumers;
    const { call, max } = this.#ask('claim', batch);
    let deliveries: Delivery<string>[];
    try {
      deliveries = await queue.claimMany(max, { ...this.#wait, leaseMs });
    } catch (error) {
      return this.#gotNone(call, error);
    }
    const got = deliveries.flatMap(({ index, attempt, value }) => [index, attempt, this.#name(value)]);
    notes.write([['got', call, this.#at.now(), ...got]]);
    if (holds) return true;
    if (chance.chance(0.5)) {
      const troubles = await Promise.all(deliveries.map((delivery) => this.#settle(delivery)));
      return troubles.includes(true);
    }
    for (const delivery of deliveries) if (await this.#settle(delivery)) return true;
    return false;
  }

  /** Ends a claim; whether there was trouble. */
  async #settle(delivery: Delivery<string>): Promise<boolean> {
    const { chance, plan, notes } = this.#at;
    const { nackOneIn = NEVER } = plan.consumers;
    const { index, attempt } = delivery;
    const givesBack = chance.integer(1, nackOneIn) === 1;
    notes.write([[givesBack ? 'nacking' : 'acking', index, attempt]]);
    for (;;) {
      try {
        if (givesBack) await delivery.nack();
        else {
          await delivery.ack();
          notes.write([['acked', index, attempt, this.#at.now()]]);
        }
        return false;
      } catch (error) {
        if (error instanceof DurostoreError && error.code === 'LEASE_LOST') {
          notes.write([['late', index, attempt, this.#at.now()]]);
          return false;
        }
        if (this.#at.excuse(error) === 'maybe') {
          if (!givesBack) notes.write([['unsure', index, attempt]]);
          return true;
        }
      }
    }
  }

  async #dequeue(queue: Queue<string>): Promise<boolean> {
    const { chance, plan, notes } = this.#at;
    const { call, max } = this.#ask('dequeue', plan.consumers.batch);
    let values: (string | undefined)[];
    try {
      values =
        max === 1 && chance.chance(0.5)
          ? [await queue.dequeue(this.#wait)]
          : await queue.dequeueMany(max, this.#wait);
    } catch (error) {
      return this.#gotNone(call, error);
    }
    const got = values.flatMap((value) => [0, 0, this.#name(value)]);
    notes.write([['got', call, this.#at.now(), ...got]]);
    return false;
  }

  async #delete(queue: Queue<string>): Promise<boolean> {
    const index = await this.#someIndex(queue);
    if (index === undefined) return false;
    const { notes } = this.#at;
    notes.write([['deleting', index]]);
    try {
      const count = await queue.delete(index);
      notes.write([['deleted', index, count, this.#at.now()]]);
    } catch (error) {
      if (this.#at.excuse(error) === 'maybe') return true;
      notes.write([['spared', index]]);
    }
    return false;
  }

  async #read(queue: Queue<string>): Promise<boolean> {
    const index = await this.#someIndex(queue);
    if (index === undefined) return false;
    const value = await queue.read(index);
    if (value !== undefined) this.#at.notes.write([['saw', index, this.#name(value)]]);
    for (const one of await queue.peekMany(3)) this.#name(one);
    return false;
  }

  async #someIndex(queue: Queue<string>): Promise<number | undefined> {
    const first = await queue.store.firstIndex();
    const next = await queue.store.nextIndex();
    return first < next ? this.#at.chance.integer(first, next - 1) : undefined;
  }

  #ask(how: 'claim' | 'dequeue', most: number): { call: number; max: number } {
    this.#calls += 1;
    const max = this.#at.chance.integer(1, most);
    this.#at.notes.write([['ask', this.#calls, how, max, this.#at.now()]]);
    return { call: this.#calls, max };
  }

  /** Whether the queue is to be closed. A call that nobody can tell the end of stays open in the notes. */
  #gotNone(call: number, error: unknown): boolean {
    if (this.#at.signal.aborted && error === this.#at.signal.reason) throw error;
    if (this.#at.excuse(error) === 'maybe') {
      this.#at.notes.write([['doubt', call]]);
      return true;
    }
    this.#at.notes.write([['got', call, this.#at.now()]]);
    return false;
  }

  #name(message: string | undefined): string {
    const name = message === undefined ? undefined : nameOf(message);
    if (name === undefined) this.#at.odd(`a message that nobody wrote: ${message?.slice(0, 80)}`);
    return name ?? 'none';
  }
}

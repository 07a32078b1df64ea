import { countUp } from '../store/count-up.js';
import type { Engine } from '../store/engine.js';
import type { NewRecord } from '../store/intake.js';
import { resolveWriteOptions, WRITE_OPTIONS } from '../store/write-options.js';
import type { WrittenBefore } from '../store/writer.js';
import { type Codec, codecMark, encodeValue } from './codec.js';
import type { EnqueueOptions } from './contract.js';
import { InOrder } from './in-order.js';
import type { FirstOfId, MessageIds } from './message-ids.js';
import { type MessageOrder, marksOf, resolveOrder } from './message-marks.js';

const ENQUEUE_OPTIONS: ReadonlySet<string> = new Set([
  ...WRITE_OPTIONS,
  'id',
  'delayMs',
  'priority',
  'front',
  'key',
]);

/** How messages are to go in. */
export interface Entering {
  readonly headers: Buffer | undefined;
  readonly durable: boolean;
  readonly signal: AbortSignal | undefined;
  /** Undefined where nothing is asked of their place in line. */
  readonly order: MessageOrder | undefined;
}

/** Turns values into messages and writes them. */
export class Enqueuer<T> {
  readonly #engine: Engine;
  readonly #codec: Codec<T>;
  readonly #codecMark: Buffer | undefined;
  readonly #ids: MessageIds;
  readonly #inOrder = new InOrder();
  /** Whether nobody else has the bytes that the codec makes. */
  readonly #isOwned: boolean;
  /** Where nothing is said. */
  readonly #plain: Entering;

  constructor(engine: Engine, codec: Codec<T>, ids: MessageIds) {
    this.#engine = engine;
    this.#codec = codec;
    this.#codecMark = codecMark(codec);
    this.#ids = ids;
    this.#isOwned = codec.name === 'json' || codec.name === 'v8';
    this.#plain = { headers: undefined, durable: engine.durable, signal: undefined, order: undefined };
  }

  /** Checks the options of a call. INVALID_OPTION. */
  entering(options: EnqueueOptions | undefined): Entering {
    if (options === undefined) return this.#plain;
    const { headers, durable, signal } = resolveWriteOptions(
      options,
      this.#engine.options.durability,
      ENQUEUE_OPTIONS,
    );
    return { headers, durable, signal, order: resolveOrder(options) };
  }

  /** The messages as records of one batch. CODEC. */
  records(values: readonly T[], { headers, order }: Entering): NewRecord[] {
    const now = order === undefined ? 0 : this.#engine.clock.now();
    const marked = order !== undefined;
    const records: NewRecord[] = [];
    for (const value of values) {
      const payload = encodeValue(this.#codec, value);
      const marks = marked ? this.#marks(order, now, records.length, values.length) : this.#codecMark;
      records.push({ payload, headers, marks, marked, owned: this.#isOwned });
    }
    return records;
  }

  /** Writes one message that has no id; resolves with its index. */
  writeOne(value: T, { headers, durable, signal, order }: Entering): Promise<number> {
    const payload = encodeValue(this.#codec, value);
    const now = order === undefined ? 0 : this.#engine.clock.now();
    const marks = this.#marks(order, now, 0, 1);
    const record = { payload, headers, marks, marked: order !== undefined, owned: this.#isOwned };
    if (this.#inOrder.isWaiting) return this.#write([record], durable, signal);
    return this.#engine.writer.writeOne(record, durable, signal);
  }

  /** Writes them as one batch; resolves with their indexes, or those of the messages that were written with their id before. */
  async write(values: readonly T[], entering: Entering): Promise<number[]> {
    const { headers, durable, signal, order } = entering;
    if (order === undefined && !this.#inOrder.isWaiting) {
      const payloads: Uint8Array[] = [];
      for (const value of values) payloads.push(encodeValue(this.#codec, value));
      const alike = { headers, marks: this.#codecMark, owned: this.#isOwned };
      const first = await this.#engine.writer.writeAlike(payloads, alike, durable, signal);
      return countUp(first, payloads.length);
    }
    const records = this.records(values, entering);
    const id = order?.id;
    let before: FirstOfId | undefined;
    if (id !== undefined && !this.#inOrder.isWaiting && this.#ids.isBehind)
      this.#inOrder.hold(this.#ids.lookInTurns());
    const first = await this.#write(
      records,
      durable,
      signal,
      id === undefined
        ? undefined
        : () => {
            before = this.#ids.find(id);
            return before?.index;
          },
    );
    if (id !== undefined) this.#learn();
    return countUp(first, before?.count ?? records.length);
  }

  /** ⚑ The messages of one caller are in the order of its calls, also where ids have to be looked up before the first of them. */
  #write(
    records: readonly NewRecord[],
    durable: boolean,
    signal: AbortSignal | undefined,
    writtenBefore?: WrittenBefore,
  ): Promise<number> {
    const { writer } = this.#engine;
    if (!this.#inOrder.isWaiting) {
      if (writtenBefore !== undefined) this.#ids.look();
      return writer.write(records, durable, signal, writtenBefore);
    }
    // What the caller holds may change before it is copied into a batch.
    const kept = records.map((record) =>
      record.owned === true ? record : { ...record, payload: Uint8Array.from(record.payload), owned: true },
    );
    return this.#inOrder.run(() => {
      if (writtenBefore !== undefined) this.#ids.look();
      return writer.write(kept, durable, signal, writtenBefore);
    });
  }

  /** What was written is known from now on. Best effort: it is written, and the next one to ask looks again. */
  #learn(): void {
    try {
      this.#ids.look();
    } catch {
      // Whoever asks next is told.
    }
  }

  #marks(order: MessageOrder | undefined, now: number, at: number, count: number): Buffer | undefined {
    if (order === undefined) return this.#codecMark;
    const marks = marksOf(order, now, at, count);
    return this.#codecMark === undefined ? marks : Buffer.concat([this.#codecMark, marks]);
  }
}

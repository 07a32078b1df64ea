import { DurostoreError } from '../errors.js';
import type { StoreTransaction } from './contract.js';
import { countUp } from './count-up.js';
import { deleteRecords } from './deletion.js';
import type { Engine } from './engine.js';
import type { NewRecord } from './intake.js';
import { checkBytes, checkIndex, invalid } from './options.js';
import { resolveWriteOptions } from './write-options.js';

const HEADERS_ALONE: ReadonlySet<string> = new Set(['headers']);

/** What is said to it until `end` is done together. */
class Gathered implements StoreTransaction {
  readonly records: NewRecord[] = [];
  readonly deletes: number[] = [];
  #isOver = false;

  write(data: Uint8Array, options?: { headers?: Record<string, string> | undefined }): void {
    this.#assertRunning();
    const { headers } = resolveWriteOptions(options, 'written', HEADERS_ALONE);
    checkBytes('data', data);
    // The caller may use its memory again at once, as behind any write.
    this.records.push({ payload: Uint8Array.from(data), headers, owned: true });
  }

  delete(index: number): void {
    this.#assertRunning();
    this.deletes.push(checkIndex(index));
  }

  end(): void {
    this.#isOver = true;
  }

  #assertRunning(): void {
    if (!this.#isOver) return;
    throw new DurostoreError('CLOSED', 'the transaction is over: its function has returned. Begin another');
  }
}

/** Does what `work` says, all of it or nothing; resolves with the indexes of what it wrote. */
export async function transact(engine: Engine, work: (tx: StoreTransaction) => void): Promise<number[]> {
  if (typeof work !== 'function') throw invalid('work', 'a function', work);
  engine.assertUsable();
  const { records, deletes } = gather(work);
  // It may have closed the store.
  engine.assertUsable();
  if (records.length === 0) {
    await deleteRecords(engine, deletes);
    return [];
  }
  const { durable } = engine;
  const first =
    deletes.length === 0
      ? await engine.writer.write(records, durable)
      : await engine.transactor.write(records, Float64Array.from(deletes).sort(), durable);
  return countUp(first, records.length);
}

function gather(work: (tx: StoreTransaction) => void): Gathered {
  const gathered = new Gathered();
  try {
    const returned: unknown = work(gathered);
    if (isThenable(returned)) {
      // Nobody else hears what becomes of it.
      returned.then(undefined, () => {});
      throw invalid(
        'work',
        'a function that does all its work before it returns',
        'one that returns a promise',
      );
    }
  } finally {
    gathered.end();
  }
  return gathered;
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';

/**
 * Lets messages pass through and watches its own memory: `passage.js <durostore|raw> <directory> <messages>`, started
 * with --expose-gc.
 */
import { RECORD_BYTES, recordOf } from '../loops.js';
import { durostore } from '../subjects/durostore.js';
import { rawFile } from '../subjects/raw.js';

const BATCH = 100;
const LOOKS = 20;

export interface Passage {
  /** MiB on the heap after collection, and resident at most: when a tenth had passed, and at the end. */
  readonly heapEarly: number;
  readonly heapLate: number;
  readonly residentEarly: number;
  readonly residentLate: number;
  readonly [key: string]: number;
}

const MIB = 1024 ** 2;

async function pass([name = '', directory = '', messages = '']: readonly string[]): Promise<Passage> {
  const subject = name === durostore.name ? durostore : rawFile(RECORD_BYTES);
  const opened = await subject.open({ directory, durability: 'written', as: 'queue' });
  const batch = Array.from({ length: BATCH }, () => recordOf(RECORD_BYTES));
  const heap: number[] = [];
  const resident: number[] = [];
  const each = Number(messages) / LOOKS;
  for (let look = 0; look < LOOKS; look++) {
    let most = 0;
    for (let passed = 0; passed < each; passed += BATCH) {
      await opened.putMany?.(batch);
      const taken = await opened.takeMany?.(BATCH);
      if (taken?.length !== BATCH) throw new Error(`${taken?.length} messages of ${BATCH}`);
      if (passed % (BATCH * 16) === 0) most = Math.max(most, process.memoryUsage.rss());
    }
    resident.push(most / MIB);
    globalThis.gc?.();
    heap.push(process.memoryUsage().heapUsed / MIB);
  }
  await opened.close();
  return {
    heapEarly: heap[1] ?? 0,
    heapLate: heap.at(-1) ?? 0,
    residentEarly: Math.max(...resident.slice(0, 2)),
    residentLate: Math.max(...resident.slice(2)),
  };
}

if (process.send !== undefined) {
  const figures = await pass(process.argv.slice(2));
  process.send(figures, () => process.disconnect?.());
}

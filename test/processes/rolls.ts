import { readdirSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { openStore } from '../../src/mod.js';

/** Every record fills a file. */
const options = { maxFileSize: 256, durability: 'written' } as const;
const PAYLOAD = Buffer.alloc(100, 'x');
/** So many are left, whenever as many have come. */
export const KEPT = 50;

export interface Rolls {
  /** Bytes of the heap in use: when all was warm, and in the end. */
  readonly heap: readonly [before: number, after: number];
  /** Descriptors in use; undefined where nothing tells. */
  readonly descriptors: readonly [before: number | undefined, after: number | undefined];
  readonly mostFiles: number;
  /** What is not as it must be. */
  readonly wrong: readonly string[];
  readonly left: { readonly next: number; readonly length: number; readonly files: number };
}

/** Begins so many segments, one a record, and removes them behind itself; closes and opens again on the way. */
export async function roll(
  directory: string,
  count: number,
  onProgress: (done: number) => void = () => {},
): Promise<Rolls> {
  const wrong: string[] = [];
  let store = await openStore({ ...options, directory });
  let before: { heap: number; descriptors: number | undefined } | undefined;
  let mostFiles = 0;
  const warm = Math.ceil(count / 10);
  const reopenEvery = Math.ceil(count / 5);
  for (let n = 1; n <= count; n++) {
    const index = await store.write(PAYLOAD);
    if (index !== n) wrong.push(`index ${index} for the record ${n}`);
    if (n % reopenEvery === 0) {
      await store.close();
      store = await openStore({ ...options, directory });
      if ((await store.nextIndex()) !== n + 1)
        wrong.push(`opened again, it goes on at ${await store.nextIndex()}`);
    }
    if (n % KEPT === 0) {
      mostFiles = Math.max(mostFiles, readdirSync(directory).length);
      await store.prune(n - KEPT + 1);
      const length = await store.length();
      if (length !== KEPT) wrong.push(`${length} records at ${n}`);
      onProgress(n);
    }
    if (n === warm) before = { heap: heapUsed(), descriptors: descriptorsUsed() };
  }
  const after = { heap: heapUsed(), descriptors: descriptorsUsed() };
  await store.close();
  store = await openStore({ ...options, directory });
  const left = {
    next: await store.nextIndex(),
    length: await store.length(),
    files: (await store.stats()).files,
  };
  await store.close();
  return {
    heap: [before?.heap ?? 0, after.heap],
    descriptors: [before?.descriptors, after.descriptors],
    mostFiles,
    wrong,
    left,
  };
}

/** After everything that nobody needs was collected. */
function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

function descriptorsUsed(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return undefined;
  }
}

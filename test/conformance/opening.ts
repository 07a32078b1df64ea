import { suite } from './suite.js';
import { bytes, textsOf, untyped } from './values.js';

/** Options that there are not, or that cannot be, and the name that the error begins with. */
const WRONG: readonly [option: string, value: unknown][] = [
  ['directory', ''],
  ['directory', 5],
  ['filePrefix', ''],
  ['filePrefix', '.hidden'],
  ['filePrefix', '-x'],
  ['filePrefix', '_x'],
  ['filePrefix', 'a/b'],
  ['filePrefix', '../a'],
  ['filePrefix', 'a.b'],
  ['filePrefix', 'x'.repeat(101)],
  ['maxFiles', 0],
  ['maxFileSize', -1],
  ['maxFileSize', 2 ** 31],
  ['maxChunk', -1],
  ['maxRecordSize', 1.5],
  ['whenFull', 'block'],
  ['durability', 'replicated'],
  ['syncIntervalMs', 0],
  ['locking', 'flock'],
  ['indexer', true],
  ['indexer', { intervalMs: 0 }],
  ['clock', {}],
  ['signal', {}],
  ['directroy', 'x'],
];

const WRONG_OF_QUEUES: readonly [option: string, value: unknown][] = [
  ['codec', 'xml'],
  ['codec', { name: 'mine' }],
  ['schema', {}],
  ['validateOnRead', 'yes'],
  ['leaseMs', 0],
  ['leaseMs', Number.NaN],
  ['maxAttempts', 0],
  ['backoff', { initialMs: -1 }],
  ['backoff', {}],
  ['deduplication', { windowMs: -1 }],
  ['deadLetters', { maxCount: -1 }],
];

export const opening = suite('opening', (test) => {
  test('the directory is created, with its parents, and is there for who opens it again', async (t, place) => {
    const directory = `${place.options.directory}/a/b`;
    const store = await place.openStore({ directory });
    t.equal(await store.write(bytes('x')), 1);
    await store.close();
    const again = await place.openStore({ directory });
    t.same(await textsOf(again), ['x']);
    t.equal(await again.write(bytes('y')), 2);
  });

  test('several stores share a directory under their prefixes', async (t, place) => {
    const stores = [
      await place.openStore({ filePrefix: 't' }),
      await place.openStore({ filePrefix: 't2' }),
      await place.openStore(),
      await place.openStore({ filePrefix: 'T-_9' }),
    ];
    for (const [at, store] of stores.entries()) t.equal(await store.write(bytes(`${at}`)), 1);
    for (const [at, store] of stores.entries()) t.same(await textsOf(store), [`${at}`]);
    await stores[0]?.prune();
    t.same(await textsOf(await place.openStore({ filePrefix: 't2' })), ['1']);
    t.same(await textsOf(await place.openStore({ filePrefix: 'duro' })), ['2'], "the default is 'duro'");
  });

  test('prefixes that differ only by case are INVALID_OPTION', async (t, place) => {
    await place.openStore({ filePrefix: 'orders' });
    const options = { ...place.options, filePrefix: 'Orders' };
    await t.rejects(place.engine.openStore(options), { code: 'INVALID_OPTION', message: /^filePrefix/ });
    await t.rejects(place.engine.openQueue(options), { code: 'INVALID_OPTION', message: /^filePrefix/ });
  });

  test('a store and a queue are the same records', async (t, place) => {
    const queue = await place.openQueue({ codec: 'v8' });
    const store = await place.openStore();
    await queue.enqueue('x');
    t.equal(await store.length(), 1);
    t.equal(await store.delete(1), 1);
    t.equal(await queue.length(), 0);
    t.equal(await queue.dequeue(), undefined);
  });

  test('an option that is unknown or impossible is INVALID_OPTION, and the error names it', async (t, place) => {
    for (const [option, value] of WRONG) {
      const options = untyped<object>({ [option]: value });
      const refused = { code: 'INVALID_OPTION', message: new RegExp(`^${option}`) };
      await t.rejects(
        place.engine.openStore({ ...place.options, ...options }),
        refused,
        `${option}: ${value}`,
      );
      await t.rejects(
        place.engine.openQueue({ ...place.options, ...options }),
        refused,
        `${option}: ${value}`,
      );
    }
    for (const [option, value] of WRONG_OF_QUEUES) {
      const options = untyped<object>({ [option]: value });
      const refused = { code: 'INVALID_OPTION', message: new RegExp(`^${option}`) };
      await t.rejects(
        place.engine.openQueue({ ...place.options, ...options }),
        refused,
        `${option}: ${value}`,
      );
      await t.rejects(place.engine.openStore({ ...place.options, ...options }), { code: 'INVALID_OPTION' });
    }
  });

  test('an option that is undefined is one that was left out', async (t, place) => {
    const nothing = {
      filePrefix: undefined,
      maxFiles: undefined,
      maxFileSize: undefined,
      maxChunk: undefined,
      maxRecordSize: undefined,
      whenFull: undefined,
      durability: undefined,
      syncIntervalMs: undefined,
      indexer: undefined,
      signal: undefined,
    };
    const store = await place.openStore(nothing);
    t.equal(
      await store.write(bytes('x'), { headers: undefined, durability: undefined, signal: undefined }),
      1,
    );
    const queue = await place.openQueue({
      ...nothing,
      codec: undefined,
      schema: undefined,
      validateOnRead: undefined,
      leaseMs: undefined,
      maxAttempts: undefined,
      backoff: undefined,
      deduplication: undefined,
      deadLetters: undefined,
    });
    t.equal(await queue.length(), 1);
  });

  test('a signal aborts opening with its reason, and nothing later', async (t, place) => {
    const reason = new Error('enough');
    const options = { ...place.options, signal: AbortSignal.abort(reason) };
    await t.rejects(place.engine.openStore(options), reason);
    await t.rejects(place.engine.openQueue(options), reason);
    const abort = new AbortController();
    const store = await place.openStore({ signal: abort.signal });
    abort.abort();
    t.equal(await store.write(bytes('x')), 1);
  });

  test('another locking mode than the directory was created with is MISMATCH', async (t, place) => {
    const { locking = 'os' } = place.options;
    const store = await place.openStore();
    const other = locking === 'lockfile' ? 'os' : 'lockfile';
    await t.rejects(place.engine.openStore({ ...place.options, locking: other }), { code: 'MISMATCH' });
    await t.rejects(place.engine.openQueue({ ...place.options, locking: 'none' }), { code: 'MISMATCH' });
    t.equal(
      await (await place.openStore({ locking: 'auto' })).nextIndex(),
      1,
      "'auto' takes the directory's",
    );
    await store.close();
  });

  test("under 'none' there is one opener only", async (t, place) => {
    const directory = `${place.options.directory}/alone`;
    const store = await place.openStore({ directory, locking: 'none' });
    const options = { ...place.options, directory, locking: 'none' as const };
    await t.rejects(place.engine.openStore(options), { code: 'LOCK_UNAVAILABLE' });
    await store.close();
    t.equal(await (await place.openStore({ directory, locking: 'none' })).write(bytes('x')), 1);
  });
});

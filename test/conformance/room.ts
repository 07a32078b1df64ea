import { suite } from './suite.js';
import { aborted, bytes, had, watched } from './values.js';

/** Four of them fill a file. */
const SIZE = 200;
const full = { maxFiles: 2, maxFileSize: 1024 } as const;
const record = (): Uint8Array => new Uint8Array(SIZE);
const message = 'x'.repeat(SIZE);

export const room = suite('room', (test) => {
  test("'fail': STORE_FULL, nothing was written, and there is room when a file's records are gone", async (t, place) => {
    const store = await place.openStore(full);
    let written = 0;
    let error: unknown;
    while (error === undefined && written < 100) {
      await store.write(record()).then(
        () => {
          written += 1;
        },
        (reason: unknown) => {
          error = reason;
        },
      );
    }
    t.match(error, { code: 'STORE_FULL' });
    t.ok(written >= 4 && written < 10, `${written} fit`);
    t.same([await store.length(), await store.nextIndex()], [written, written + 1]);
    await t.rejects(store.writeMany([record()]), { code: 'STORE_FULL' });
    t.equal(await store.delete(1), 1, 'deletes go on');
    await store.prune(written);
    t.equal(await store.write(record()), written + 1);
  });

  test("'wait': a write waits for room, which somebody else makes", async (t, place) => {
    const store = await place.openStore({ ...full, whenFull: 'wait' });
    const other = await place.openStore(full);
    let written = 0;
    for (;;) {
      const isWritten = await other.write(record()).then(
        () => true,
        () => false,
      );
      if (!isWritten) break;
      written += 1;
    }
    const abort = new AbortController();
    const reason = new Error('enough');
    const waiting = watched(store.write(record()));
    const given = watched(store.write(record(), { signal: abort.signal }));
    await place.until('some time', () => store.length().then((length) => length === written));
    t.equal(waiting.state, 'waiting');
    abort.abort(reason);
    await t.rejects(given.promise, reason);
    await other.prune(written);
    t.equal(await waiting.promise, written + 1);
    t.equal(await store.nextIndex(), written + 2, 'what was given up was not written');
  });

  test("'wait': closing ends it with CLOSED", async (t, place) => {
    const store = await place.openStore({ ...full, maxFiles: 1, whenFull: 'wait' });
    const writes = Array.from({ length: 8 }, () => watched(store.write(record())));
    await place.until('the first is written', () => writes[0]?.state === 'resolved');
    await store.close();
    const outcomes = await Promise.allSettled(writes.map(({ promise }) => promise));
    const refused = outcomes.filter(({ status }) => status === 'rejected');
    t.ok(refused.length > 0);
    for (const outcome of refused) t.match(outcome, { reason: { code: 'CLOSED' } });
    const again = await place.openStore({ ...full, maxFiles: 1 });
    t.equal(await again.length(), 8 - refused.length, 'what resolved is there, and nothing else');
  });

  test("'drop-oldest': whole files go, the lowest first, and writing never fails", async (t, place) => {
    const store = await place.openStore({ ...full, whenFull: 'drop-oldest' });
    for (let n = 1; n <= 40; n++) t.equal(await store.write(record()), n);
    const first = await store.firstIndex();
    t.ok(first > 1, `from ${first} on`);
    t.equal(await store.length(), 41 - first, 'none in the middle is missing');
    t.equal(await store.read(first - 1), undefined);
    t.ok((await store.stats()).files <= full.maxFiles + 1);
  });

  test("'drop-oldest' drops claimed messages, too: their signal aborts, ack resolves, the rest is LEASE_LOST", async (t, place) => {
    const queue = await place.openQueue({ ...full, whenFull: 'drop-oldest' });
    await queue.enqueueMany([message, message]);
    const [one, other] = (await queue.claimMany(2)).map((delivery) => had(delivery));
    const signals = Promise.all([one, other].map((delivery) => aborted(had(delivery).signal)));
    for (let n = 0; n < 20; n++) await queue.enqueue(message);
    t.match(await signals, [{ code: 'LEASE_LOST' }, { code: 'LEASE_LOST' }]);
    await one?.ack();
    await t.rejects(had(other).nack(), { code: 'LEASE_LOST' });
    await t.rejects(had(other).extend(), { code: 'LEASE_LOST' });
    t.equal(await queue.read(1), undefined);
  });

  test('one file: full and alive is STORE_FULL, wholly gone it never counts, and dropped it rolls', async (t, place) => {
    const failing = await place.openStore({ maxFiles: 1, maxFileSize: 1024, filePrefix: 'failing' });
    await failing.writeMany([record(), record(), record()]);
    await t.rejects(failing.writeMany([record(), record()]), { code: 'STORE_FULL' });
    await failing.prune();
    t.same(await failing.writeMany([record(), record()]), [4, 5]);
    const dropping = await place.openStore({
      maxFiles: 1,
      maxFileSize: 1024,
      filePrefix: 'dropping',
      whenFull: 'drop-oldest',
    });
    await dropping.writeMany([record(), record(), record()]);
    t.same(await dropping.writeMany([record(), record()]), [4, 5]);
    t.same([await dropping.firstIndex(), await dropping.length()], [4, 2]);
  });

  test('what is larger than a file is RECORD_TOO_LARGE, whatever is done about a full store', async (t, place) => {
    for (const whenFull of ['fail', 'wait', 'drop-oldest'] as const) {
      const store = await place.openStore({ ...full, whenFull, filePrefix: whenFull });
      await store.write(bytes('x'));
      await t.rejects(store.write(new Uint8Array(2000)), { code: 'RECORD_TOO_LARGE' });
      t.equal(await store.length(), 1);
    }
  });
});

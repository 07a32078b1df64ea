import { until } from '../support/until.js';
import { bytes, contents, fileOf, range } from './records.js';
import { onBothDisks } from './world.js';

const two = { maxFileSize: fileOf(2, 200), maxFiles: 2 };
const one = { maxFileSize: fileOf(2, 200), maxFiles: 1 };
const record = (n: number): Uint8Array => new Uint8Array(200).fill(n);

onBothDisks("'fail' is the default: STORE_FULL, and nothing was written", async (t, world) => {
  const store = await world.openStore(two);
  for (const n of range(1, 4)) t.equal(await store.write(record(n)), n);
  const size = await store.size();
  await t.rejects(store.write(record(5)), { code: 'STORE_FULL' });
  await t.rejects(store.writeMany([record(5), record(6)]), { code: 'STORE_FULL' });
  t.equal(await store.size(), size);
  t.equal(await store.length(), 4);
  t.equal(await store.nextIndex(), 5);
  t.equal(world.files(/\.dat$/).length, 2);
});

onBothDisks("'fail': room comes with a whole file, and no index is skipped", async (t, world) => {
  const store = await world.openStore(two);
  for (const n of range(1, 4)) await store.write(record(n));
  await store.delete(1);
  await t.rejects(store.write(record(5)), { code: 'STORE_FULL' }, 'half a file is no room');
  await store.delete(2);
  t.same(await store.writeMany([record(5), record(6)]), [5, 6], 'before the old file is unlinked, too');
  await t.rejects(store.write(record(7)), { code: 'STORE_FULL' });
  await store.delete([3, 4, 5, 6]);
  t.equal(await store.write(record(7)), 7);
});

onBothDisks('maxFiles 1, full and alive: STORE_FULL', async (t, world) => {
  const store = await world.openStore(one);
  await store.writeMany([record(1), record(2)]);
  await t.rejects(store.write(record(3)), { code: 'STORE_FULL' });
  await store.delete(1);
  await t.rejects(store.write(record(3)), { code: 'STORE_FULL' });
});

onBothDisks('maxFiles 1, full and wholly gone: it rolls, again and again', async (t, world) => {
  const store = await world.openStore(one);
  for (const n of range(1, 20)) {
    t.equal(await store.write(record(n)), n);
    t.equal(await store.deleteFirst(), n);
  }
  await until('one file is left', () => world.files(/\.dat$/).length === 1);
});

onBothDisks("'wait': a write waits until another opener deletes", async (t, world) => {
  const store = await world.openStore({ ...two, whenFull: 'wait' });
  const other = await world.openStore(two);
  for (const n of range(1, 4)) await store.write(record(n));
  const done: string[] = [];
  const waiting = [
    store.write(record(5)).then((index) => done.push(`single ${index}`)),
    store.writeMany([record(6), record(7)]).then((indexes) => done.push(`batch ${indexes.join()}`)),
  ];
  await other.delete([1]);
  await store.refresh();
  t.same(done, []);
  await other.delete([2]);
  await waiting[0];
  t.same(done, ['single 5']);
  await store.delete([3, 4]);
  await waiting[1];
  t.same(done, ['single 5', 'batch 6,7'], 'in the order of the calls');
  t.same(
    (await contents(other)).map(([index]) => index),
    [5, 6, 7],
  );
});

onBothDisks("'wait': a small write does not overtake a large one that waits", async (t, world) => {
  const store = await world.openStore({ ...one, whenFull: 'wait' });
  await store.write(record(1));
  const large = store.writeMany([record(2), record(3)]);
  const small = store.write(bytes('small'));
  await store.delete(1);
  t.same(await large, [2, 3]);
  const gone = store.delete([2, 3]);
  t.equal(await small, 4);
  t.equal(await gone, 2);
});

onBothDisks("'wait': a signal ends it with its reason, and only for its own call", async (t, world) => {
  const store = await world.openStore({ ...one, whenFull: 'wait' });
  await store.writeMany([record(1), record(2)]);
  const abort = new AbortController();
  const aborted = store.write(record(3), { signal: abort.signal });
  const patient = store.write(record(4));
  await new Promise((resolve) => setImmediate(resolve));
  const reason = new Error('enough');
  abort.abort(reason);
  await t.rejects(aborted, reason);
  await store.prune();
  t.equal(await patient, 3);
  t.equal((await store.read(3))?.[0], 4, 'what was aborted was not written');
  t.equal(await store.nextIndex(), 4);
});

onBothDisks("'drop-oldest' drops whole files, the lowest index first", async (t, world) => {
  const store = await world.openStore({ ...two, whenFull: 'drop-oldest' });
  const reader = await world.openStore();
  for (const n of range(1, 11)) {
    t.equal(await store.write(record(n)), n);
    t.equal(await store.firstIndex(), Math.max(1, n % 2 === 0 ? n - 3 : n - 2), 'one file at a time');
  }
  for (const opener of [store, reader]) {
    t.same(
      (await contents(opener)).map(([index]) => index),
      [9, 10, 11],
    );
    t.equal(await opener.firstIndex(), 9);
    t.equal(await opener.read(8), undefined);
    t.equal(await opener.length(), 3);
  }
  await until('the files are gone', () => world.files(/\.dat$/).length === 2);
});

onBothDisks("'drop-oldest' with maxFiles 1 rolls and drops the old file", async (t, world) => {
  const store = await world.openStore({ ...one, whenFull: 'drop-oldest' });
  for (const n of range(1, 5)) t.equal(await store.write(record(n)), n);
  t.same(
    (await contents(store)).map(([index]) => index),
    [5],
  );
  t.same(await store.writeMany([record(6), record(7)]), [6, 7]);
  t.equal(await store.firstIndex(), 6);
  await until('the files are gone', () => world.files(/\.dat$/).length === 1);
});

onBothDisks("'drop-oldest' drops nothing for what can never fit", async (t, world) => {
  const store = await world.openStore({ ...one, whenFull: 'drop-oldest' });
  await store.writeMany([record(1), record(2)]);
  await t.rejects(store.write(new Uint8Array(2000)), { code: 'RECORD_TOO_LARGE' });
  t.equal(await store.length(), 2);
});

onBothDisks('a full store can be read, deleted from, closed and opened', async (t, world) => {
  const store = await world.openStore(two);
  for (const n of range(1, 4)) await store.write(record(n));
  await store.close();
  const again = await world.openStore(two);
  await t.rejects(again.write(record(5)), { code: 'STORE_FULL' });
  t.same(await again.read(4), record(4));
  await again.prune(3);
  t.equal(await again.write(record(5)), 5);
});

onBothDisks('the limits are those of who holds the lock', async (t, world) => {
  const narrow = await world.openStore(one);
  const wide = await world.openStore({ ...one, maxFiles: 3 });
  await narrow.writeMany([record(1), record(2)]);
  await t.rejects(narrow.write(record(3)), { code: 'STORE_FULL' });
  t.equal(await wide.write(record(3)), 3);
  t.equal(await narrow.write(record(4)), 4, 'there is room in the file that the other one began');
  await t.rejects(narrow.write(record(5)), { code: 'STORE_FULL' });
  t.equal(await wide.write(record(5)), 5);
});

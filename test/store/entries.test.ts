import type { Store } from '../../src/store/contract.js';
import type { Entry, EntryRange } from '../../src/store/entries.js';
import { MovedClock } from './moved-clock.js';
import { bytes, fileOf, range, text } from './records.js';
import { onBothDisks } from './world.js';

const TEN = range(1, 10);

async function indexes(store: Store, wanted?: EntryRange): Promise<number[]> {
  const found: number[] = [];
  for await (const entry of store.entries(wanted)) found.push(entry.index);
  return found;
}

const fill = (store: Store): Promise<number[]> => store.writeMany(TEN.map((n) => bytes(`${n}`)));

onBothDisks('from, to and limit', async (t, world) => {
  const store = await world.openStore({ maxFileSize: 4 * 1024 });
  await fill(store);
  const cases: [EntryRange, number[]][] = [
    [{}, TEN],
    [{ from: 'first' }, TEN],
    [{ from: 4 }, range(4, 10)],
    [{ from: 4, to: 7 }, [4, 5, 6]],
    [{ from: 4, to: 4 }, []],
    [{ from: 7, to: 4 }, []],
    [{ to: 3 }, [1, 2]],
    [{ to: 0 }, []],
    [{ to: 100 }, TEN],
    [{ from: 10 }, [10]],
    [{ from: 11 }, []],
    [{ from: 1000 }, []],
    [{ from: 'next' }, []],
    [{ limit: 3 }, [1, 2, 3]],
    [{ limit: 0 }, []],
    [{ limit: Number.POSITIVE_INFINITY }, TEN],
    [{ from: 9, limit: 3 }, [9, 10]],
    [{ from: -3 }, [8, 9, 10]],
    [{ from: -10 }, TEN],
    [{ from: -1000 }, TEN],
    [{ from: -3, limit: 1 }, [8]],
    [{ from: -3, to: 10 }, [8, 9]],
    [{ from: undefined, to: undefined, limit: undefined, follow: undefined }, TEN],
  ];
  for (const [wanted, expected] of cases)
    t.same(await indexes(store, wanted), expected, JSON.stringify(wanted));
});

onBothDisks('what is deleted is passed over, and a negative from counts what is there', async (t, world) => {
  const store = await world.openStore();
  await fill(store);
  await store.delete([1, 2, 5, 9]);
  t.same(await indexes(store), [3, 4, 6, 7, 8, 10]);
  t.same(await indexes(store, { limit: 3 }), [3, 4, 6]);
  t.same(await indexes(store, { from: 5, to: 8 }), [6, 7]);
  t.same(await indexes(store, { from: -3 }), [7, 8, 10]);
  t.same(await indexes(store, { from: -6 }), [3, 4, 6, 7, 8, 10]);
  t.same(await indexes(store, { from: -7 }), [3, 4, 6, 7, 8, 10]);
  await store.prune();
  t.same(await indexes(store), []);
  t.same(await indexes(store, { from: -1 }), []);
});

onBothDisks('wrong ranges reject with INVALID_OPTION, at the first entry', async (t, world) => {
  const store = await world.openStore();
  const wrong: [unknown, string][] = [
    [null, 'options'],
    ['first', 'options'],
    [{ from: 0 }, 'from'],
    [{ from: 1.5 }, 'from'],
    [{ from: 'last' }, 'from'],
    [{ from: null }, 'from'],
    [{ to: -1 }, 'to'],
    [{ to: 1.5 }, 'to'],
    [{ to: 'next' }, 'to'],
    [{ limit: -1 }, 'limit'],
    [{ limit: '1' }, 'limit'],
    [{ follow: 1 }, 'follow'],
    [{ follow: true, waitMs: -1 }, 'waitMs'],
    [{ follow: true, waitMs: '5' }, 'waitMs'],
    [{ onGap: true }, 'onGap'],
    [{ signal: {} }, 'signal'],
    [{ form: 1 }, 'form'],
  ];
  for (const [wanted, name] of wrong) {
    const entries = store.entries(wanted as EntryRange);
    await t.rejects(entries.next(), { code: 'INVALID_OPTION', message: new RegExp(`^${name}:`) });
  }
});

onBothDisks('without follow it ends at the end, with what was written meanwhile', async (t, world) => {
  const [store, other] = [await world.openStore(), await world.openStore()];
  await fill(store);
  const found: number[] = [];
  for await (const { index } of store.entries({ from: 9 })) {
    found.push(index);
    if (index === 9) await other.write(bytes('11'));
  }
  t.same(found, [9, 10, 11]);
});

onBothDisks('follow waits for what others write', async (t, world) => {
  const [reader, writer] = [await world.openStore(), await world.openStore()];
  await writer.write(bytes('1'));
  const entries = reader.entries({ follow: true });
  const next = async (): Promise<string | undefined> => text((await entries.next()).value?.data);
  t.equal(await next(), '1');
  for (const n of range(2, 20)) {
    const waiting = next();
    if (n % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
    await writer.write(bytes(`${n}`));
    t.equal(await waiting, `${n}`);
  }
  t.same(await entries.return?.(), { value: undefined, done: true });
});

onBothDisks("'next' gives what comes after the call, even before the first look", async (t, world) => {
  const store = await world.openStore();
  await store.write(bytes('before'));
  const entries = store.entries({ from: 'next', follow: true });
  await store.write(bytes('after'));
  const first: Entry | undefined = (await entries.next()).value;
  t.equal(text(first?.data), 'after');
  t.equal(first?.index, 2);
});

onBothDisks('follow ends by itself at limit, and at to', async (t, world) => {
  const store = await world.openStore();
  await fill(store);
  t.same(await indexes(store, { follow: true, limit: 10 }), TEN);
  t.same(await indexes(store, { follow: true, to: 6 }), range(1, 5));
  const waiting = indexes(store, { from: 9, to: 13, follow: true });
  await store.writeMany(range(11, 15).map((n) => bytes(`${n}`)));
  t.same(await waiting, [9, 10, 11, 12]);
  await store.delete(range(1, 15));
  t.same(await indexes(store, { from: 1, to: 10, follow: true }), [], 'gone ones are not waited for');
});

onBothDisks('follow with waitMs ends cleanly when it was quiet for so long', async (t, world) => {
  const clock = new MovedClock();
  const store = await world.openStore({ clock });
  await store.write(bytes('1'));
  const found: number[] = [];
  let over = false;
  const reading = (async () => {
    for await (const { index } of store.entries({ follow: true, waitMs: 1000 })) found.push(index);
    over = true;
  })();
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  await settle();
  clock.advance(999);
  await settle();
  t.equal(over, false);
  await store.write(bytes('2'));
  await settle();
  clock.advance(999);
  await settle();
  t.equal(over, false, 'a new record begins the wait anew');
  clock.advance(1);
  await reading;
  t.same(found, [1, 2]);
  t.same(await indexes(store, { follow: true, waitMs: 0 }), [1, 2]);
});

onBothDisks('a signal ends it with its reason: before, between and while waiting', async (t, world) => {
  const store = await world.openStore();
  await fill(store);
  const reason = new Error('enough');
  await t.rejects(store.entries({ signal: AbortSignal.abort(reason) }).next(), reason);
  const between = new AbortController();
  const entries = store.entries({ signal: between.signal });
  t.equal((await entries.next()).value?.index, 1);
  between.abort(reason);
  await t.rejects(entries.next(), reason);
  t.same(await entries.next(), { value: undefined, done: true });
  const waiting = new AbortController();
  const next = store.entries({ from: 'next', follow: true, signal: waiting.signal }).next();
  const rejected = t.rejects(next, reason);
  await new Promise((resolve) => setImmediate(resolve));
  waiting.abort(reason);
  await rejected;
});

onBothDisks('close ends it with CLOSED, between and while waiting', async (t, world) => {
  const store = await world.openStore();
  await fill(store);
  const between = store.entries();
  await between.next();
  const waiting = store.entries({ from: 'next', follow: true }).next();
  const rejected = t.rejects(waiting, { code: 'CLOSED' });
  await store.close();
  await rejected;
  await t.rejects(between.next(), { code: 'CLOSED' });
});

onBothDisks('onGap tells what was below the oldest; deleted in the middle is no gap', async (t, world) => {
  const store = await world.openStore();
  await fill(store);
  await store.delete([1, 2, 3, 6]);
  const gaps: { from: number; to: number }[] = [];
  const onGap = (gap: { from: number; to: number }): void => void gaps.push(gap);
  t.same(await indexes(store, { from: 1, onGap }), [4, 5, 7, 8, 9, 10]);
  t.same(gaps.splice(0), [{ from: 1, to: 4 }]);
  t.same(await indexes(store, { from: 2, to: 3, onGap }), []);
  t.same(gaps.splice(0), [{ from: 2, to: 3 }], 'no further than to');
  t.same(await indexes(store, { onGap }), [4, 5, 7, 8, 9, 10]);
  t.same(await indexes(store, { from: 5, onGap }), [5, 7, 8, 9, 10]);
  t.same(await indexes(store, { from: -2, onGap }), [9, 10]);
  t.same(gaps, []);
});

onBothDisks('onGap tells a follower what was dropped before it came by', async (t, world) => {
  const options = { maxFileSize: fileOf(2, 200), maxFiles: 2, whenFull: 'drop-oldest' } as const;
  const [store, reader] = [await world.openStore(options), await world.openStore()];
  const write = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n++) await store.write(new Uint8Array(200));
  };
  await write(2);
  const gaps: { from: number; to: number }[] = [];
  const entries = reader.entries({ follow: true, onGap: (gap) => void gaps.push(gap) });
  t.equal((await entries.next()).value?.index, 1);
  t.equal((await entries.next()).value?.index, 2);
  await write(7);
  const rest: number[] = [];
  while (rest.at(-1) !== 9) rest.push((await entries.next()).value?.index ?? 9);
  t.same(rest, [7, 8, 9]);
  t.same(gaps, [{ from: 3, to: 7 }]);
  await entries.return?.();
});

onBothDisks('several iterators are each their own', async (t, world) => {
  const store = await world.openStore();
  await fill(store);
  const [one, two] = [store.entries(), store.entries({ from: -2 })];
  t.equal((await one.next()).value?.index, 1);
  t.equal((await two.next()).value?.index, 9);
  t.equal((await one.next()).value?.index, 2);
  t.equal((await two.next()).value?.index, 10);
  t.equal((await two.next()).done, true);
  t.equal((await one.next()).value?.index, 3);
});

import t from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import type { Store, StoreTransaction } from '../../src/store/contract.js';
import { bytes, contents, fileOf, range, room, text } from './records.js';
import { lockFileMachine, memoryWorld, onBothDisks } from './world.js';

const fill = (store: Store, count: number): Promise<number[]> =>
  store.writeMany(range(1, count).map((n) => bytes(`${n}`)));

onBothDisks('a transaction writes and deletes together', async (t, world) => {
  for (const durability of ['synced', 'written'] as const) {
    const filePrefix = durability;
    const store = await world.openStore({ durability, filePrefix });
    const other = await world.openStore({ filePrefix });
    await fill(store, 6);
    const indexes = await store.transaction((tx) => {
      tx.write(bytes('a'), { headers: { of: 'a' } });
      tx.delete(5);
      tx.write(bytes('b'));
      tx.delete(1);
      tx.delete(2);
    });
    t.same(indexes, [7, 8]);
    const left = [
      [3, '3'],
      [4, '4'],
      [6, '6'],
      [7, 'a'],
      [8, 'b'],
    ];
    t.equal(await other.read(2), undefined, 'at once, by whoever has it open');
    t.same(await contents(other), left);
    t.same(await contents(store), left);
    t.same([await other.length(), await store.length()], [5, 5]);
    t.equal(await other.firstIndex(), 3);
    t.same((await other.entry(7))?.headers, { of: 'a' });
    t.same((await other.entry(8))?.headers, {});
    const third = await world.openStore({ filePrefix });
    t.same(await contents(third), left, 'by who opens now');
    for (const one of [store, other, third]) await one.close();
    const again = await world.openStore({ filePrefix });
    t.same(await contents(again), left, 'and later');
    t.equal(await again.delete([1, 2, 5]), 0);
    t.equal(await again.delete([3, 7]), 2);
    await again.close();
  }
});

onBothDisks('only writes, only deletes, nothing', async (t, world) => {
  const store = await world.openStore();
  await fill(store, 4);
  t.same(await store.transaction(() => {}), []);
  t.equal(await store.nextIndex(), 5);
  t.same(
    await store.transaction((tx) => {
      tx.write(bytes('a'), { headers: { n: '1' } });
      tx.write(bytes('b'), { headers: { n: '2' } });
    }),
    [5, 6],
  );
  t.same([(await store.entry(5))?.headers, (await store.entry(6))?.headers], [{ n: '1' }, { n: '2' }]);
  t.same(
    await store.transaction((tx) => {
      for (const index of [2, 3, 3, 99]) tx.delete(index);
    }),
    [],
  );
  t.same(
    (await contents(store)).map(([index]) => index),
    [1, 4, 5, 6],
  );
});

onBothDisks('what is not there counts as deleted', async (t, world) => {
  const store = await world.openStore();
  await fill(store, 3);
  await store.delete(2);
  t.same(
    await store.transaction((tx) => {
      tx.write(bytes('a'));
      for (const index of [-1, 0, 2, 3, 3, 4, 5, 1000]) tx.delete(index);
    }),
    [4],
  );
  t.same(await contents(store), [
    [1, '1'],
    [4, 'a'],
  ]);
  await store.write(bytes('b'));
  t.same(await contents(store), [
    [1, '1'],
    [4, 'a'],
    [5, 'b'],
  ]);
});

onBothDisks('what goes wrong in the function changes nothing', async (t, world) => {
  const store = await world.openStore();
  await fill(store, 3);
  const own = new Error('own');
  await t.rejects(
    store.transaction((tx) => {
      tx.write(bytes('a'));
      tx.delete(1);
      throw own;
    }),
    own,
  );
  await t.rejects(
    store.transaction((tx) => {
      tx.write(bytes('a'));
      tx.delete(1);
      return Promise.reject(own) as unknown as undefined;
    }),
    { code: 'INVALID_OPTION' },
    'a promise',
  );
  for (const wrong of [undefined, null, {}, 'x'])
    await t.rejects(store.transaction(wrong as unknown as () => void), { code: 'INVALID_OPTION' });
  const refused: readonly ((tx: StoreTransaction) => void)[] = [
    (tx) => tx.write('a' as unknown as Uint8Array),
    (tx) => tx.write(bytes('a'), { headers: { n: 1 as unknown as string } }),
    (tx) => tx.write(bytes('a'), { durability: 'synced' } as object),
    (tx) => tx.delete(1.5),
    (tx) => tx.delete('1' as unknown as number),
  ];
  for (const call of refused)
    await t.rejects(
      store.transaction((tx) => {
        tx.delete(1);
        tx.write(bytes('b'));
        call(tx);
      }),
      { code: 'INVALID_OPTION' },
    );
  t.equal(await store.length(), 3);
  t.equal(await store.nextIndex(), 4);
});

onBothDisks('a transaction is over when its function has returned', async (t, world) => {
  const store = await world.openStore();
  await fill(store, 1);
  let kept: StoreTransaction | undefined;
  const done = store.transaction((tx) => {
    kept = tx;
    tx.write(bytes('a'));
  });
  t.throws(() => kept?.write(bytes('b')), { code: 'CLOSED' });
  t.throws(() => kept?.delete(1), { code: 'CLOSED' });
  t.same(await done, [2]);
  await t.rejects(
    store.transaction((tx) => {
      kept = tx;
      throw new Error('own');
    }),
    { message: 'own' },
  );
  t.throws(() => kept?.delete(1), { code: 'CLOSED' });
  t.equal(await store.length(), 2);
  await store.close();
  await t.rejects(
    store.transaction(() => t.fail('it is not called')),
    { code: 'CLOSED' },
  );
});

onBothDisks('bytes are copied when they are given', async (t, world) => {
  const store = await world.openStore();
  await fill(store, 1);
  const data = bytes('a');
  const deletes = [[], [1]];
  for (const indexes of deletes) {
    const done = store.transaction((tx) => {
      tx.write(data);
      data[0] = 0x62;
      tx.write(data);
      for (const index of indexes) tx.delete(index);
    });
    data[0] = 0x61;
    const [first = 0, second = 0] = await done;
    t.same([text(await store.read(first)), text(await store.read(second))], ['a', 'b']);
  }
});

onBothDisks('transactions of one tick happen one after the other', async (t, world) => {
  const store = await world.openStore();
  const other = await world.openStore();
  await fill(store, 4);
  const all = await Promise.all(
    [store, other, store, other].map((one, at) =>
      one.transaction((tx) => {
        tx.write(bytes(`x${at}`));
        tx.write(bytes(`y${at}`));
        tx.delete(at + 1);
        tx.delete(1);
      }),
    ),
  );
  t.same(
    all.flat().sort((a, b) => a - b),
    range(5, 12),
  );
  for (const [first = 0, second] of all) t.equal(second, first + 1);
  t.same(await contents(store), await contents(other));
  t.equal(await store.length(), 8);
});

onBothDisks('a transaction never spans files', async (t, world) => {
  const maxFileSize = 4096;
  const store = await world.openStore({ maxFileSize, maxRecordSize: room(maxFileSize) });
  await fill(store, 2);
  const largest = room(maxFileSize);
  await t.rejects(
    store.transaction((tx) => {
      tx.write(new Uint8Array(largest));
      tx.delete(1);
    }),
    { code: 'RECORD_TOO_LARGE' },
    'with what it carries',
  );
  await t.rejects(
    store.transaction((tx) => {
      for (let n = 0; n < 5; n++) tx.write(new Uint8Array(1000));
      tx.delete(1);
    }),
    { code: 'RECORD_TOO_LARGE' },
  );
  t.same(await contents(store), [
    [1, '1'],
    [2, '2'],
  ]);
  // One fact of a range that is gone has 13 bytes, its frame 36.
  const data = new Uint8Array(largest - 49).fill(0x61);
  t.same(
    await store.transaction((tx) => {
      tx.write(data);
      tx.delete(1);
    }),
    [3],
    'that is all there is room for, in a file of its own',
  );
  t.same(
    (await contents(store)).map(([index]) => index),
    [2, 3],
  );
  t.equal(world.files(/\.dat$/).length, 2);
});

const FULL = { maxFileSize: fileOf(3, 100), maxFiles: 2, syncIntervalMs: 10 } as const;
const hundred = (n: number): Uint8Array => bytes(`${n}`.padEnd(100));

onBothDisks('a full store refuses a transaction, whole', async (t, world) => {
  const store = await world.openStore({ ...FULL });
  for (const n of range(1, 6)) await store.write(hundred(n));
  await t.rejects(
    store.transaction((tx) => {
      tx.write(hundred(7));
      tx.delete(6);
    }),
    { code: 'STORE_FULL' },
  );
  t.equal(await store.length(), 6);
  await store.delete([1, 2, 3]);
  t.same(
    await store.transaction((tx) => {
      tx.write(bytes('7'));
      tx.delete(6);
    }),
    [7],
  );
  t.same(
    (await contents(store)).map(([index]) => index),
    [4, 5, 7],
  );
});

onBothDisks('a transaction waits for room', async (t, world) => {
  const store = await world.openStore({ ...FULL, whenFull: 'wait' });
  const other = await world.openStore({ ...FULL });
  for (const n of range(1, 6)) await store.write(hundred(n));
  let answered = false;
  const waiting = store
    .transaction((tx) => {
      tx.write(bytes('7'));
      tx.delete(1);
      tx.delete(6);
    })
    .finally(() => {
      answered = true;
    });
  await other.delete(3);
  t.notOk(answered);
  t.same(
    (await contents(other)).map(([index]) => index),
    [1, 2, 4, 5, 6],
    'nothing of it happened yet',
  );
  await other.delete([1, 2]);
  t.same(await waiting, [7]);
  t.same(
    (await contents(other)).map(([index]) => index),
    [4, 5, 7],
  );
  for (const n of [8, 9]) await other.write(hundred(n));
  const never = store.transaction((tx) => {
    tx.write(hundred(10));
    tx.delete(4);
  });
  const closed = t.rejects(never, { code: 'CLOSED' });
  await store.close();
  await closed;
  t.same(
    (await contents(other)).map(([index]) => index),
    [4, 5, 7, 8, 9],
  );
});

onBothDisks('a transaction drops the oldest, which may be what it deletes', async (t, world) => {
  const store = await world.openStore({ ...FULL, whenFull: 'drop-oldest' });
  for (const n of range(1, 6)) await store.write(hundred(n));
  t.same(
    await store.transaction((tx) => {
      tx.write(bytes('7'));
      for (const index of [1, 3, 5]) tx.delete(index);
    }),
    [7],
  );
  t.same(
    (await contents(store)).map(([index]) => index),
    [4, 6, 7],
  );
  await store.close();
  const again = await world.openStore();
  t.same(
    (await contents(again)).map(([index]) => index),
    [4, 6, 7],
  );
});

onBothDisks('segments go that a transaction has emptied, or that hold what it says', async (t, world) => {
  const options = { maxFileSize: fileOf(3, 100), durability: 'written' } as const;
  const store = await world.openStore(options);
  for (const n of range(1, 6)) await store.write(hundred(n));
  await store.transaction((tx) => {
    tx.write(bytes('7'));
    for (const index of [1, 2, 3, 5]) tx.delete(index);
  });
  await store.close();
  const second = await world.openStore(options);
  await second.close();
  t.same(
    (await contents(await world.openStore(options))).map(([index]) => index),
    [4, 6, 7],
  );
  t.notOk(world.files(/\.dat$/).includes('duro_00000000000000000001.dat'), 'the first has gone');
  const third = await world.openStore(options);
  for (const n of range(8, 12)) await third.write(hundred(n));
  await third.delete([4, 6, 7, 8, 9]);
  await third.prune(10);
  t.same(
    (await contents(third)).map(([index]) => index),
    [10, 11, 12],
  );
  t.same(
    world.files(/\.dat$/),
    ['duro_00000000000000000010.dat'],
    'also the one with the frame of the transaction',
  );
  await third.close();
  const fourth = await world.openStore(options);
  t.same(
    (await contents(fourth)).map(([index]) => index),
    [10, 11, 12],
  );
});

t.test('a disk that is full refuses a transaction, whole', async (t) => {
  for (const machine of [new MemoryDisk(), lockFileMachine()]) {
    const world = memoryWorld(t, machine);
    const store = await world.openStore();
    await fill(store, 3);
    machine.onOperation = ({ kind, path }) =>
      kind === 'write' && /\.(dat|fate\.\d+)$/.test(path) ? { error: 'ENOSPC' } : undefined;
    await t.rejects(
      store.transaction((tx) => {
        tx.write(bytes('a'));
        tx.delete(1);
      }),
      { code: 'DISK_FULL' },
    );
    machine.onOperation = undefined;
    t.equal(await store.length(), 3);
    t.same(
      await store.transaction((tx) => {
        tx.write(bytes('a'));
        tx.delete(1);
      }),
      [4],
    );
    await store.close();
    const again = await world.openStore();
    t.same(
      (await contents(again)).map(([index]) => index),
      [2, 3, 4],
    );
  }
});

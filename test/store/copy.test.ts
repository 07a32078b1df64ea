/** Copies of a store that others work in. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { repairOn } from '../../src/care/repair.js';
import { verifyOn } from '../../src/care/verify.js';
import { MemoryDisk } from '../../src/disk/memory.js';
import { osDisk } from '../../src/disk/os.js';
import { openQueueOn } from '../../src/queue/queue.js';
import { Batch } from '../../src/segment/batch.js';
import type { Store } from '../../src/store/contract.js';
import { EngineStore, openStoreOn } from '../../src/store/store.js';
import { checkDirectoryOn } from '../support/consistency.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { until } from '../support/until.js';
import { openEngine } from './engines.js';
import { MovedClock } from './moved-clock.js';
import { bytes, contents, fileOf, range } from './records.js';
import { lockFileMachine } from './world.js';

const FROM = '/store';
const TO = '/backup/of/today';
const options = { directory: FROM, maxFileSize: fileOf(4, 100), indexer: false } as const;
const hundred = (n: number): Uint8Array => bytes(`${n}`.padEnd(100));

const machines: readonly (readonly [string, () => MemoryDisk])[] = [
  ['hard links', () => new MemoryDisk()],
  ['no hard links', () => new MemoryDisk({ hardLinks: false })],
  ['lock files', lockFileMachine],
];

const open = (machine: MemoryDisk, directory: string): Promise<Store> =>
  openStoreOn(machine.opener(), { ...options, directory });

for (const [what, make] of machines)
  t.test(`a copy is the store as it is, and both go on: ${what}`, async (t) => {
    const machine = make();
    const store = await open(machine, FROM);
    for (const n of range(1, 18)) await store.write(hundred(n), { headers: { n: `${n}` } });
    await store.delete([2, 6, 7, 17]);
    await store.prune(5);
    await store.transaction((tx) => {
      tx.write(hundred(19));
      tx.delete(9);
    });
    const before = await contents(store);
    await store.copyTo(TO);
    t.same(checkDirectoryOn(machine.opener(), TO), []);
    const report = await verifyOn(machine.opener(), { directory: TO });
    t.equal(report.ok, true);
    t.equal(report.records, before.length);
    const copy = await open(machine, TO);
    t.same(await contents(copy), before);
    t.same((await copy.entry(8))?.headers, { n: '8' });
    t.equal(await copy.nextIndex(), await store.nextIndex());
    t.equal(await copy.write(hundred(20)), 20);
    t.equal(await copy.delete([5, 8]), 2);
    await copy.prune(13);
    t.same(await contents(store), before, 'the original knows nothing of it');
    t.equal(await store.write(hundred(99)), 20);
    await store.prune(16);
    t.same(
      (await contents(copy)).map(([index]) => index),
      [13, 14, 15, 16, 18, 19, 20],
    );
    await Promise.all([copy.close(), store.close()]);
    const again = [await open(machine, FROM), await open(machine, TO)];
    t.same(
      (await contents(again[0] as Store)).map(([index]) => index),
      [16, 18, 19, 20],
    );
    t.equal((await contents(again[1] as Store)).length, 7);
    for (const one of again) await one.close();
    for (const directory of [FROM, TO]) {
      t.same(checkDirectoryOn(machine.opener(), directory), []);
      t.equal((await verifyOn(machine.opener(), { directory })).ok, true);
    }
  });

t.test('an empty store, and one of which everything is gone', async (t) => {
  const machine = new MemoryDisk();
  const store = await open(machine, FROM);
  await store.copyTo('/empty');
  for (const n of range(1, 9)) await store.write(hundred(n));
  await store.prune();
  await store.copyTo('/emptied');
  await store.close();
  const [empty, emptied] = [await open(machine, '/empty'), await open(machine, '/emptied')];
  t.same([await empty.length(), await empty.nextIndex()], [0, 1]);
  t.same([await emptied.length(), await emptied.nextIndex()], [0, 10], 'no index is given again');
  await Promise.all([empty.close(), emptied.close()]);
});

t.test('all of it is on the device when it resolves', async (t) => {
  const machine = new MemoryDisk();
  const store = await openStoreOn(machine.opener(), { ...options, durability: 'written' });
  for (const n of range(1, 11)) await store.write(hundred(n));
  await store.delete([3, 10]);
  await store.copyTo(TO);
  machine.powerCut({ writes: 'lose', names: 'lose' });
  const copy = await open(machine, TO);
  t.same(
    (await contents(copy)).map(([index]) => index),
    [1, 2, 4, 5, 6, 7, 8, 9, 11],
  );
  await copy.close();
});

t.test('nothing is copied over files of a store', async (t) => {
  const machine = new MemoryDisk();
  const store = await open(machine, FROM);
  for (const n of range(1, 6)) await store.write(hundred(n));
  await store.copyTo(TO);
  const before = [...machine.snapshot()].map(([path, content]) => [
    path,
    Buffer.from(content).toString('hex'),
  ]);
  for (const directory of [TO, FROM]) await t.rejects(store.copyTo(directory), { code: 'INVALID_OPTION' });
  for (const wrong of ['', undefined, 1, null])
    await t.rejects(store.copyTo(wrong as string), { code: 'INVALID_OPTION' });
  t.same(
    [...machine.snapshot()].map(([path, content]) => [path, Buffer.from(content).toString('hex')]),
    before,
  );
  machine.put('/other/notes.txt', bytes('mine'));
  machine.put('/other/duro2.meta', bytes('of another prefix'));
  await store.copyTo('/other');
  t.equal((await verifyOn(machine.opener(), { directory: '/other' })).ok, true);
  machine.put('/half/duro_00000000000000000001.dat', bytes(''));
  await t.rejects(store.copyTo('/half'), { code: 'INVALID_OPTION' });
  await store.close();
  await t.rejects(store.copyTo('/late'), { code: 'CLOSED' });
});

t.test('claims are free in the copy, and the rest of a queue is there', async (t) => {
  for (const make of [() => new MemoryDisk(), lockFileMachine]) {
    const machine = make();
    const clock = new MovedClock();
    const queue = await openQueueOn<number>(machine.opener(), { ...options, clock });
    // Its segment goes, and its id is archived.
    await queue.enqueue(0, { id: 'zero' });
    for (const n of range(1, 20)) await queue.enqueue(n);
    t.equal((await queue.dequeueMany(30)).length, 21);
    await queue.enqueueMany([1, 2, 3]);
    await queue.enqueue(4, { priority: 5 });
    await queue.enqueue(5, { delayMs: 60_000 });
    await queue.enqueue(6, { id: 'six' });
    await (await queue.claim())?.reject('no');
    const held = await queue.claim();
    await held?.progress({ done: 1 });
    t.equal(held?.value, 1);
    await until('an archive', () =>
      [...machine.snapshot().keys()].some((path) => path.endsWith('duro.ids.1')),
    );
    await queue.store.copyTo(TO);
    t.equal(await held?.ack(), undefined, 'the holder goes on');
    const copy = await openQueueOn<number>(machine.opener(), { ...options, directory: TO, clock });
    t.match(await copy.stats(), { claimed: 0, dead: 1, delayed: 1, waiting: 4 });
    const first = await copy.claim();
    t.match(first, { value: 1, attempt: 2 }, 'attempts are remembered');
    await first?.ack();
    t.equal(await copy.enqueue(6, { id: 'six' }), await queue.enqueue(6, { id: 'six' }), 'and ids');
    t.equal(await copy.enqueue(0, { id: 'zero' }), 1, 'also of what has gone');
    t.same(await copy.dequeueMany(9), [2, 3, 6]);
    t.match(await copy.stats(), { claimed: 0, dead: 1, delayed: 1, waiting: 0 });
    await Promise.all([queue.close(), copy.close()]);
  }
});

t.test('a segment that goes while others are copied is left out', async (t) => {
  const machine = new MemoryDisk();
  const [store, other] = [await open(machine, FROM), await open(machine, FROM)];
  for (const n of range(1, 120)) await store.write(hundred(n));
  const first = `${TO}/duro_00000000000000000001.dat`;
  let pruned: Promise<void> | undefined;
  machine.onOperation = ({ kind, path }) => {
    if (kind === 'link' && path === first) pruned = other.prune(9);
    return undefined;
  };
  await store.copyTo(TO);
  machine.onOperation = undefined;
  t.ok(pruned, 'it was there');
  await pruned;
  t.notOk(machine.bytes(first), 'it is not in the end');
  const copy = await open(machine, TO);
  t.same(
    (await contents(copy)).map(([index]) => index),
    range(9, 120),
  );
  await Promise.all([store.close(), other.close(), copy.close()]);
});

t.test('what is written behind the moment is not in the copy', async (t) => {
  const machine = new MemoryDisk();
  const store = await open(machine, FROM);
  for (const n of range(1, 6)) await store.write(hundred(n));
  const { locks, appender, tail } = await openEngine(t, machine, { maxFileSize: options.maxFileSize });
  machine.onOperation = ({ kind, path }) => {
    if (kind !== 'create' || path !== `${TO}/duro_00000000000000000005.dat`) return undefined;
    machine.onOperation = undefined;
    t.ok(locks.write.tryEnter());
    appender.catchUp();
    const batch = new Batch();
    batch.begin();
    batch.add(hundred(7));
    appender.append(batch, 0, 1, 1, false);
    locks.write.leave();
    return undefined;
  };
  await store.copyTo(TO);
  t.same([tail.nextIndex, await store.nextIndex()], [8, 8]);
  const copy = await open(machine, TO);
  t.equal(await copy.nextIndex(), 7);
  await Promise.all([store.close(), copy.close()]);
});

t.test('a store that was taken over, with what a sleeper left behind the cut', async (t) => {
  const machine = lockFileMachine();
  const opener = machine.opener('sleeper');
  const slept = await openStoreOn(opener, options);
  for (const n of range(1, 6)) await slept.write(hundred(n));
  // It dies in the middle of a write, with the lock.
  machine.onOperation = ({ kind, path, opener: who }) =>
    who === 'sleeper' && kind === 'write' && path.endsWith('.dat') ? { torn: 20 } : undefined;
  slept.write(hundred(7)).catch(() => {});
  await until('a death', () => opener.dead);
  machine.onOperation = undefined;
  machine.age(machine.deathTakesMs);
  const store = await open(machine, FROM);
  for (const n of range(7, 9)) await store.write(hundred(n));
  t.ok([...machine.snapshot().keys()].some((path) => path.includes('takeover')));
  await store.copyTo(TO);
  t.same(checkDirectoryOn(machine.opener(), TO), []);
  t.equal((await verifyOn(machine.opener(), { directory: TO })).ok, true);
  const copy = await open(machine, TO);
  t.same(
    (await contents(copy)).map(([index, text]) => [index, text.trim()]),
    range(1, 9).map((n) => [n, `${n}`]),
  );
  t.equal(await copy.write(hundred(10)), 10);
  await Promise.all([store.close(), copy.close()]);
});

t.test('a copy while others write, delete and compact', async (t) => {
  for (const [what, make] of machines) {
    const machine = make();
    const [one, two] = [await open(machine, FROM), await open(machine, FROM)];
    let stop = false;
    let written = 0;
    const writing = (async () => {
      while (!stop) {
        const [a = 0, b = 0] = await one.transaction((tx) => {
          tx.write(hundred(2 * written + 1));
          tx.write(hundred(2 * written + 2));
        });
        t.equal(b, a + 1);
        written += 1;
      }
    })();
    const deleting = (async () => {
      for (let index = 1; !stop; ) {
        if ((await two.nextIndex()) <= index + 20) {
          await new Promise((resolve) => setImmediate(resolve));
          continue;
        }
        // Both of a pair, or none.
        await two.transaction((tx) => {
          tx.delete(index);
          tx.delete(index + 1);
        });
        index += 2;
      }
    })();
    await until('some', () => written > 30);
    const copies = ['/copy-1', '/copy-2', '/copy-3'];
    const least: number[] = [];
    const most: number[] = [];
    for (const directory of copies) {
      least.push(await one.nextIndex());
      await one.copyTo(directory);
      most.push(await one.nextIndex());
      await until('more', () => written * 2 > (least.at(-1) ?? 0) + 10);
    }
    stop = true;
    await Promise.all([writing, deleting]);
    for (const [at, directory] of copies.entries()) {
      t.same(checkDirectoryOn(machine.opener(), directory), [], `${what}, ${directory}`);
      t.equal((await verifyOn(machine.opener(), { directory })).ok, true);
      const copy = await open(machine, directory);
      const found = await contents(copy);
      const next = await copy.nextIndex();
      t.ok(next >= (least[at] ?? 0) && next <= (most[at] ?? 0), 'of a moment between call and answer');
      t.same(
        found.map(([index]) => index),
        range(next - found.length, next - 1),
        'without a gap',
      );
      t.equal(found.length % 2, 0, 'pairs are whole');
      for (const [index, text] of found) if (text.trim() !== `${index}`) t.fail(`${index} holds ${text}`);
      await copy.close();
    }
    await Promise.all([one.close(), two.close()]);
    t.same(checkDirectoryOn(machine.opener(), FROM), []);
  }
});

t.test('who dies over it leaves no store, and who fails leaves nothing', async (t) => {
  const lookInto = async (machine: MemoryDisk, where: string): Promise<void> => {
    if (machine.bytes(`${TO}/duro.meta`) !== undefined) {
      const copy = await open(machine, TO);
      t.equal((await contents(copy)).length, 5, where);
      await copy.close();
    } else if ([...machine.snapshot().keys()].some((path) => /^\/backup.*\.(dat|idx|fate\.\d+)$/.test(path)))
      await t.rejects(open(machine, TO), { code: 'CORRUPT' }, where);
  };
  for (const [what, make] of machines.slice(0, 2))
    for (let n = 1, isDone = false; !isDone; n++)
      for (const fault of ['die', { error: 'ENOSPC' }, { error: 'EIO' }] as const) {
        const machine = make();
        const opener = machine.opener('copier');
        const store = await openStoreOn(opener, options);
        for (const index of range(1, 6)) await store.write(hundred(index));
        await store.delete(2);
        let count = 0;
        let struck = '';
        machine.onOperation = ({ opener: who, path, kind }) => {
          if (who !== 'copier' || !path.startsWith('/backup') || kind === 'open' || kind === 'list')
            return undefined;
          count += 1;
          if (count !== n) return undefined;
          struck = `${kind} ${path}`;
          return fault;
        };
        let told: unknown;
        store.copyTo(TO).then(
          () => {
            told = 'copied';
          },
          (error: { code?: unknown }) => {
            told = error.code;
          },
        );
        await until('an end', () => told !== undefined || opener.dead);
        machine.onOperation = undefined;
        const where = `${what}, ${JSON.stringify(fault)} at ${n}: ${struck}; ${told}`;
        if (struck === '') {
          t.equal(told, 'copied', where);
          isDone = true;
          break;
        }
        if (opener.dead) {
          // Of the names that are not on the device any one may be there, and any may be missing.
          for (let place = -1; place < 12; place++) {
            const fork = machine.fork(1);
            fork.powerCut({ writes: 'keep', names: (at) => place < 0 || at === place });
            await lookInto(fork, `${where}, and the power is cut, ${place}`);
          }
          continue;
        }
        if (told !== 'copied') {
          t.ok(told === 'DISK_FULL' || told === 'STORE_FAILED' || told === 'INVALID_OPTION', where);
          t.equal(machine.bytes(`${TO}/duro.meta`), undefined, where);
        }
        await lookInto(machine, where);
        t.equal(await store.write(hundred(7)), 7, `${where}: the store is unharmed`);
        await store.close();
      }
});

t.test('a repair of one leaves the other as it was', async (t) => {
  const machine = new MemoryDisk();
  const store = await open(machine, FROM);
  for (const n of range(1, 10)) await store.write(hundred(n));
  await store.copyTo(TO);
  await store.close();
  const name = 'duro_00000000000000000001.dat';
  t.equal(machine.opener().links(`${FROM}/${name}`), 2, 'they share it');
  machine.flip(`${FROM}/${name}`, 32 + 136 + 50);
  t.equal((await repairOn(machine.opener(), { directory: FROM })).ok, true);
  t.equal(machine.opener().links(`${TO}/${name}`), 1, 'no more');
  const [mended, copy] = [await open(machine, FROM), await open(machine, TO)];
  t.equal(await mended.read(2), undefined, 'it is lost, and facts say so');
  await t.rejects(copy.read(2), { code: 'CORRUPT' }, 'nobody has told the copy');
  await Promise.all([mended.close(), copy.close()]);
});

t.test('what recovery of one changes leaves the other as it was', async (t) => {
  for (const [changed, kept] of [
    [FROM, TO],
    [TO, FROM],
  ] as const)
    for (const what of ['a record', 'the seal', 'the header', 'nothing, but a sync has failed'] as const) {
      const machine = new MemoryDisk();
      const opener = machine.opener();
      const store = await openStoreOn(opener, { ...options, directory: FROM, durability: 'written' });
      for (const n of range(1, 10)) await store.write(hundred(n));
      await store.copyTo(TO);
      machine.kill(opener);
      const name = 'duro_00000000000000000001.dat';
      const size = machine.bytes(`${FROM}/${name}`)?.length ?? 0;
      t.equal(machine.opener().links(`${FROM}/${name}`), 2, 'they share it');
      if (what === 'a record') machine.flip(`${FROM}/${name}`, size - 76 - 10);
      if (what === 'the seal') machine.flip(`${FROM}/${name}`, size - 10);
      if (what === 'the header') machine.flip(`${FROM}/${name}`, 10);
      if (what.startsWith('nothing')) machine.put(`${changed}/duro.suspect`, new Uint8Array());
      const before = machine.bytes(`${kept}/${name}`);
      machine.powerCut({ writes: 'keep', names: 'keep' });
      const writes: string[] = [];
      machine.onOperation = ({ kind, path }) => {
        if ((kind === 'write' || kind === 'truncate') && path === `${changed}/${name}`)
          writes.push(`${machine.opener().links(path)}`);
        return undefined;
      };
      const again = await open(machine, changed).catch((error: unknown) => {
        t.match(error, { code: 'CORRUPT' });
        return undefined;
      });
      machine.onOperation = undefined;
      t.notOk(writes.includes('2'), `${what}: nothing is written to what is shared`);
      t.same(machine.bytes(`${kept}/${name}`), before, `${what} of ${changed}`);
      await again?.delete([1, 2, 3, 4]);
      await again?.prune(9);
      await again?.close();
      t.same(machine.bytes(`${kept}/${name}`), before);
    }
});

t.test(
  'the file that is written to stays the same one while others have it open, whatever names it has',
  async (t) => {
    const machine = new MemoryDisk();
    const [a, b] = [await open(machine, FROM), await open(machine, FROM)];
    for (const n of range(1, 3)) await a.write(hundred(n));
    t.equal(await b.nextIndex(), 4);
    const path = `${FROM}/duro_00000000000000000001.dat`;
    const dying = machine.opener();
    dying.makeDirectory('/backup');
    dying.link(path, '/backup/1.dat');
    // The half of a frame, behind the last one.
    const end = (machine.bytes(path) ?? new Uint8Array()).findLastIndex((byte) => byte !== 0) + 1;
    const file = dying.open(path, 'write');
    const half = Buffer.from((machine.bytes(path) ?? new Uint8Array()).subarray(end - 136, end - 50));
    t.equal(file?.write(half, 0, half.length, end), half.length);
    machine.kill(dying);
    t.same([await a.write(hundred(4)), await b.write(hundred(5)), await a.write(hundred(6))], [4, 5, 6]);
    for (const store of [a, b, await open(machine, FROM)]) {
      t.same(
        await contents(store),
        range(1, 6).map((n) => [n, `${n}`.padEnd(100)]),
      );
      await store.close();
    }
  },
);

t.test('a full disk keeps no store from opening, also where a shared file has to be mended', async (t) => {
  const machine = new MemoryDisk();
  const opener = machine.opener();
  const store = await openStoreOn(opener, { ...options, directory: FROM, durability: 'written' });
  for (const n of range(1, 10)) await store.write(hundred(n));
  const path = `${FROM}/duro_00000000000000000001.dat`;
  const file = opener.open(path, 'write');
  file?.truncate((machine.bytes(path)?.length ?? 0) - 40);
  opener.makeDirectory('/copy');
  opener.link(path, '/copy/1.dat');
  machine.kill(opener);
  machine.capacityBytes = 1;
  const next = await open(machine, FROM);
  t.equal(await next.length(), 10);
  t.same(
    machine
      .opener()
      .list(FROM)
      .filter((name) => name.includes('tmp')),
    [],
  );
  await next.close();
});

t.test("on the operating system's disk", async (t) => {
  const directory = await temporaryDirectory(t);
  const from = join(directory, 'from');
  const to = join(directory, 'to', 'here');
  const store = await openStoreOn(osDisk, { ...options, directory: from });
  for (const n of range(1, 10)) await store.write(hundred(n));
  await store.delete(4);
  await store.copyTo(to);
  t.same(
    readdirSync(to).filter((name) => name.endsWith('.dat')),
    readdirSync(from).filter((name) => name.endsWith('.dat')),
  );
  t.equal(statSync(join(to, 'duro_00000000000000000001.dat')).nlink, 2);
  t.equal(
    osDisk.links(join(to, 'duro_00000000000000000009.dat')),
    1,
    'the one that is written to is its own',
  );
  t.equal(osDisk.links(join(to, 'missing')), 0);
  t.ok(existsSync(join(to, 'duro.meta')));
  const copy = await openStoreOn(osDisk, { ...options, directory: to });
  t.same(await contents(copy), await contents(store));
  await Promise.all([copy.close(), store.close()]);
});

t.test('closing ends a copy', async (t) => {
  const machine = new MemoryDisk();
  const store = await open(machine, FROM);
  for (const n of range(1, 10)) await store.write(hundred(n));
  const copying = t.rejects(store.copyTo(TO), { code: 'CLOSED' });
  await store.close();
  await copying;
  t.same(
    [...machine.snapshot().keys()].filter((path) => path.startsWith(TO)),
    [],
    'nothing is left',
  );
});

t.test(
  'what both share is never written to, though a power cut takes a seal that nobody waited for',
  async (t) => {
    const machine = new MemoryDisk();
    const engine = await openEngine(t, machine, { directory: FROM, indexer: false });
    const store = new EngineStore(engine, () => engine.close());
    for (const n of range(1, 3)) await store.write(hundred(n));
    // As an idle segment that is too old is rolled, or one behind which the write was refused.
    await engine.locks.write.enter();
    engine.appender.catchUp();
    engine.appender.roll(engine.clock.now());
    engine.locks.write.leave();
    await store.copyTo(TO);
    machine.powerCut({ writes: 'lose', names: 'lose' });
    const original = await openStoreOn(machine.opener(), { directory: FROM, indexer: false });
    t.equal(await original.write(bytes('only here')), 4);
    await original.close();
    const copy = await openStoreOn(machine.opener(), { directory: TO, indexer: false });
    t.equal(await copy.write(bytes('only there')), 4);
    t.same(
      (await contents(copy)).map(([index, text]) => [index, text.trim()]),
      [
        [1, '1'],
        [2, '2'],
        [3, '3'],
        [4, 'only there'],
      ],
    );
    await copy.close();
    for (const directory of [FROM, TO]) t.same(checkDirectoryOn(machine.opener(), directory), []);
  },
);

t.test('of two that copy to one place one fails, and leaves the other’s copy alone', async (t) => {
  const machine = new MemoryDisk();
  const one = await open(machine, FROM);
  for (const n of range(1, 6)) await one.write(hundred(n));
  let go = (): void => {};
  let isWaiting = false;
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  // Its directories are synced when it is let: by then it has seen that there is nothing.
  const slow = new Proxy(machine.opener(), {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (key !== 'syncDirectory') return typeof value === 'function' ? value.bind(target) : value;
      return async (directory: string): Promise<void> => {
        if (TO.startsWith(directory)) {
          isWaiting = true;
          await gate;
        }
        await target.syncDirectory(directory);
      };
    },
  });
  const two = await openStoreOn(slow, options);
  const second = two.copyTo(TO);
  second.catch(() => {});
  await until('the second one has looked', () => isWaiting);
  await one.copyTo(TO);
  go();
  await t.rejects(second, { code: 'INVALID_OPTION' });
  const copy = await open(machine, TO);
  t.equal((await contents(copy)).length, 6);
  await Promise.all([copy.close(), one.close(), two.close()]);
});

/** `locking: 'none'`: nobody else is there, so nobody else's writes are looked for. */
import t from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import type { Fault, Operation } from '../../src/disk/memory-fault.js';
import { anyOf, inject, onIndex, onKind, onPath } from '../../src/disk/memory-fault.js';
import { bytes, contents, fileOf, range } from './records.js';
import { memoryWorld } from './world.js';

const options = { locking: 'none', durability: 'written', indexer: false } as const;

t.test('an opener that is alone reads nothing before it writes, takes or deletes', async (t) => {
  for (const locking of ['none', 'os'] as const) {
    const machine = new MemoryDisk();
    const queue = await memoryWorld(t, machine).openQueue<string>({ ...options, locking });
    await queue.enqueue('first');
    await queue.dequeue();
    let looks = 0;
    machine.onOperation = ({ kind, path }) => {
      if (kind === 'read' && /\.dat$|\.fate\./.test(path)) looks += 1;
      return undefined;
    };
    for (const n of range(1, 5)) await queue.enqueue(`${n}`);
    await queue.delete([3, 4]);
    t.equal(await queue.length(), 3);
    if (locking === 'none') t.equal(looks, 0);
    else t.ok(looks >= 5, `others are looked for: ${looks}`);
    machine.onOperation = undefined;
    t.same(await queue.dequeueMany(9), ['1', '4', '5']);
  }
});

t.test('what failed to be written is not there, and what is written next takes its index', async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const store = await world.openStore(options);
  await store.write(bytes('one'));
  const begun = inject({ short: 10 }, onKind('write'), onPath(/\.dat$/), onIndex(1));
  const refused = inject({ error: 'ENOSPC' }, onKind('write'), onPath(/\.dat$/));
  machine.onOperation = anyOf(begun, refused);
  await t.rejects(store.write(bytes('lost')), { code: 'DISK_FULL' });
  machine.onOperation = undefined;
  t.equal(await store.write(bytes('two')), 2);
  const written = [
    [1, 'one'],
    [2, 'two'],
  ];
  t.same(await contents(store), written);
  await store.close();
  t.same(await contents(await world.openStore(options)), written);
});

t.test('a decision that failed to be written was not made, and the ones before it stand', async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const store = await world.openStore(options);
  await store.writeMany(range(1, 6).map((n) => bytes(`${n}`)));
  t.equal(await store.delete([1, 3]), 2);
  machine.onOperation = inject({ error: 'ENOSPC' }, onKind('write'), onPath(/\.fate\./));
  await t.rejects(store.delete(2), { code: 'DISK_FULL' });
  machine.onOperation = undefined;
  const left = [2, 4, 5, 6].map((n) => [n, `${n}`]);
  t.same(await contents(store), left);
  t.equal(await store.delete(5), 1);
  const rest = [2, 4, 6].map((n) => [n, `${n}`]);
  t.same(await contents(store), rest);
  await store.close();
  t.same(await contents(await world.openStore(options)), rest);
});

t.test('segments are succeeded as ever', async (t) => {
  const world = memoryWorld(t, new MemoryDisk());
  const store = await world.openStore({ ...options, maxFileSize: fileOf(4, 2) });
  for (const n of range(1, 20)) t.equal(await store.write(bytes(`${n}`.padStart(2))), n);
  t.equal(await store.delete([2, 8, 20]), 3);
  const left = range(1, 19)
    .filter((n) => n !== 2 && n !== 8)
    .map((n) => [n, `${n}`.padStart(2)]);
  t.same(await contents(store), left);
  await store.close();
  t.same(await contents(await world.openStore(options)), left);
});

t.test('where nothing keeps a second opener out, what it writes is looked for', async (t) => {
  const world = memoryWorld(t, new MemoryDisk({ canLock: false }));
  const [one, two] = [await world.openStore(options), await world.openStore(options)];
  t.equal(await one.write(bytes('a')), 1);
  t.equal(await two.write(bytes('b')), 2);
  t.equal(await one.write(bytes('c')), 3);
  t.equal(await two.delete(1), 1);
  t.same(await contents(one), [
    [2, 'b'],
    [3, 'c'],
  ]);
});

/** Which call fails, and how: refused, or after a part of it was written. */
const FAULTS: readonly Fault[] = [{ error: 'ENOSPC' }, { short: 7 }, { short: 50 }];

t.test('what fails is looked at: nothing acknowledged is lost, nothing comes twice', async (t) => {
  let failed = 0;
  for (const which of ['dat', 'fate'] as const) {
    for (const fault of FAULTS) {
      for (let at = 1; at <= 12; at++) {
        const machine = new MemoryDisk();
        const world = memoryWorld(t, machine);
        let writes = 0;
        let isFull = false;
        machine.onOperation = ({ kind, path }: Operation) => {
          if (kind !== 'write' || !path.includes(which)) return undefined;
          // A short write is followed by one that finds no room, once.
          if (isFull) {
            isFull = false;
            return { error: 'ENOSPC' };
          }
          writes += 1;
          if (writes !== at + 3) return undefined;
          isFull = 'short' in (fault as object);
          return fault;
        };
        const open = () =>
          world.openQueue<number>({
            locking: 'none',
            durability: 'written',
            indexer: false,
            maxFileSize: 4096,
          });
        let queue = await open();
        const there: number[] = [];
        const had: number[] = [];
        const expected: number[] = [];
        let isDoubtful = false;
        for (let value = 1; value <= 30; value++) {
          try {
            await queue.enqueue(value);
            there.push(value);
            if (value % 3 === 0) {
              const one = await queue.dequeue();
              if (one !== undefined) had.push(one);
              expected.push(there[expected.length] as number);
            }
          } catch (error) {
            failed += 1;
            t.match(error, { code: /DISK_FULL|STORE_FAILED/ }, `${which} ${JSON.stringify(fault)} ${at}`);
            if ((error as { code?: string }).code === 'STORE_FAILED') {
              isDoubtful = true;
              break;
            }
          }
        }
        machine.onOperation = undefined;
        t.notOk(isDoubtful, 'a write that is taken back fails nothing');
        t.same(had, expected, `${which} ${JSON.stringify(fault)} ${at}: those had`);
        await queue.close();
        queue = await open();
        t.same(await queue.dequeueMany(99), there.slice(expected.length), `${which} ${at}: those left`);
        await queue.close();
      }
    }
  }
  t.ok(failed > 30, `${failed} calls failed`);
});

import { readdirSync } from 'node:fs';
import t from 'tap';
import { verifyOn } from '../../src/care/verify.js';
import { MemoryDisk } from '../../src/disk/memory.js';
import { inject, type Operation, onIndex, onKind, onOpener, onPath } from '../../src/disk/memory-fault.js';
import type { MemoryOpener } from '../../src/disk/memory-opener.js';
import type { PowerCut } from '../../src/disk/memory-power-cut.js';
import { type Entry, openQueue, type Store } from '../../src/mod.js';
import { openStoreOn } from '../../src/store/store.js';
import { fileOf } from '../store/records.js';
import { checkDirectoryOn } from '../support/consistency.js';
import { summedAnew } from '../support/format-line.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { type Options, openOn, stillClock } from './actor.js';

const LOSE: PowerCut = { writes: 'lose', names: 'keep' };
const DATA = '/q/duro_00000000000000000001.dat';
const ENTRIES = '/q/duro_00000000000000000001.idx';

const open = (disk: MemoryOpener, options: Options = {}): Promise<Store> =>
  openStoreOn(disk, { directory: '/q', indexer: false, clock: stillClock, ...options });

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function all(entries: AsyncIterable<Entry>): Promise<string[]> {
  const found: string[] = [];
  for await (const { index, data } of entries) found.push(`${index} ${new TextDecoder().decode(data)}`);
  return found;
}

/** A machine with ten synced records of eight bytes, whose processes are gone; the last two may be unsynced. */
async function ten(options: Options = {}, closed = true): Promise<MemoryDisk> {
  const machine = new MemoryDisk();
  const disk = machine.opener();
  const store = await open(disk, options);
  for (let at = 1; at <= 10; at++)
    await store.write(bytes(`record ${at % 10}`), { durability: at <= 8 ? 'synced' : 'written' });
  if (closed) await store.close();
  machine.kill(disk);
  return machine;
}

const FRAME = 36 + 8;
/** Where a record's payload stands. */
const payload = (index: number): number => 32 + (index - 1) * FRAME + 36;

t.test('damage to synced records costs those records and nothing else', async (t) => {
  for (const entries of ['with entries', 'without entries'] as const) {
    for (const damaged of [1, 3, 8]) {
      const machine = await ten();
      machine.flip(DATA, payload(damaged));
      if (entries === 'without entries') machine.opener().unlink(ENTRIES);
      const store = await open(machine.opener());
      await t.rejects(store.read(damaged), { code: 'CORRUPT', indexes: { from: damaged, to: damaged } });
      for (let index = 1; index <= 10; index++)
        if (index !== damaged)
          t.same(await store.read(index), bytes(`record ${index % 10}`), `${index}, ${entries}`);
      t.equal((await store.stats()).cuts, 0);
      t.equal(await store.write(bytes('more')), 11, 'and the log goes on');
      await store.close();
    }
  }
});

t.test('so it is where somebody who is not the first opens and writes', async (t) => {
  const machine = await ten();
  const first = await open(machine.opener());
  machine.flip(DATA, payload(3));
  machine.opener().unlink(ENTRIES);
  const second = await open(machine.opener());
  t.equal(await second.write(bytes('more')), 11);
  t.same(await second.read(10), bytes('record 0'));
  await first.close();
  await second.close();
});

t.test('a bad head is damage too', async (t) => {
  const machine = await ten();
  machine.flip(DATA, 32 + 4 * FRAME);
  machine.opener().unlink(ENTRIES);
  const store = await open(machine.opener());
  await t.rejects(store.read(5), { code: 'CORRUPT' });
  t.same(await store.read(6), bytes('record 6'));
  await store.close();
});

t.test('the cut is physical: what was cut never comes back', async (t) => {
  for (const how of ['zeros', 'bad'] as const) {
    const machine = await ten({ durability: 'written' }, false);
    // The ninth record did not reach the device, the tenth did. None of the two was synced.
    const at = payload(9) - 36;
    if (how === 'bad') machine.flip(DATA, at + 40);
    else
      for (let byte = at; byte < at + FRAME; byte++)
        machine.flip(DATA, byte, machine.bytes(DATA)?.[byte] ?? 0);
    machine.opener().unlink(ENTRIES);
    const disk = machine.opener();
    const store = await open(disk);
    t.equal(await store.nextIndex(), 9, how);
    t.equal((await store.stats()).cuts, 1, 'its bytes are set aside, and told');
    t.equal(await store.write(bytes('new one9'), { durability: 'written' }), 9, 'it fills the gap exactly');
    machine.kill(disk);
    const next = await open(machine.opener());
    t.same(await all(next.entries({ from: 8 })), ['8 record 8', '9 new one9']);
    t.equal(await next.nextIndex(), 10);
    await next.close();
  }
});

t.test('the cut is on the device before anything is written there again', async (t) => {
  const machine = await ten({ durability: 'written' }, false);
  machine.flip(DATA, payload(9));
  machine.opener().unlink(ENTRIES);
  const operations: Operation[] = [];
  machine.onOperation = (operation) => {
    if (operation.path === DATA) operations.push(operation);
    return undefined;
  };
  const store = await open(machine.opener());
  await store.write(bytes('new'), { durability: 'written' });
  const kinds = operations.map(({ kind }) => kind).filter((kind) => kind !== 'read' && kind !== 'open');
  t.same(kinds.slice(0, 3), ['truncate', 'sync', 'write']);
  await store.close();
});

t.test('an index that a fact names is never given again', async (t) => {
  const machine = new MemoryDisk();
  const disk = machine.opener();
  const store = await open(disk, { durability: 'written' });
  await store.write(bytes('one'), { durability: 'synced' });
  await store.write(bytes('two'));
  await store.write(bytes('three'));
  t.equal(await store.delete([2, 3]), 2);
  // The fact reaches the device, the records that it names do not.
  machine.opener().open('/q/duro.fate.1', 'write')?.syncNow();
  machine.powerCut(LOSE);
  const next = await open(machine.opener());
  t.equal(await next.nextIndex(), 4);
  t.equal(await next.write(bytes('four')), 4);
  t.same(await all(next.entries()), ['1 one', '4 four'], 'and the fact does not strike it');
  await next.close();
  t.same(checkDirectoryOn(machine.opener(), '/q', { staleEntries: true }), []);
});

t.test('records that were only written and are lost are told', async (t) => {
  const machine = new MemoryDisk();
  const store = await open(machine.opener(), { durability: 'written', maxFileSize: 320 });
  for (let at = 1; at <= 8; at++) await store.write(bytes(`record number ${at}, with some more bytes`));
  machine.opener().open('/q/duro_00000000000000000006.dat', 'write')?.syncNow();
  const segments = [...machine.snapshot().keys()].filter((path) => path.endsWith('.dat'));
  t.ok(segments.length > 2);
  const last = segments.sort().at(-1) ?? '';
  machine.opener().open(last, 'write')?.syncNow();
  machine.powerCut(LOSE);
  const next = await open(machine.opener(), { maxFileSize: 320 });
  const first = Number(/_(\d+)/.exec(last)?.[1]);
  const found = await all(next.entries());
  t.match(found[0], new RegExp(`^${first} `), 'the records of the segment that survived');
  t.equal((await next.stats()).lost, first - 1, 'and how many before it did not');
  await next.close();
});

for (const locking of ['os', 'lockfile'] as const)
  t.test(`a segment whose name is lost, between a sealed one and an empty one: ${locking}`, async (t) => {
    for (const safe of [0, 3, 5]) {
      const machine = new MemoryDisk({ deathTakesMs: 60_000 });
      const options = { durability: 'written', maxFileSize: fileOf(3, 100), locking } as const;
      const doomed = machine.opener();
      const store = await open(doomed, options);
      for (let at = 1; at <= 7; at++) {
        await store.write(new Uint8Array(100).fill(at));
        if (at === safe) await store.sync();
      }
      machine.kill(doomed);
      const [middle, last] = [4, 7].map((first) => `/q/duro_${String(first).padStart(20, '0')}`);
      const disk = machine.opener();
      for (const ending of ['dat', 'idx']) {
        disk.unlink(`${middle}.${ending}`);
        const path = `${last}.${ending}`;
        machine.put(path, machine.bytes(path)?.subarray(0, 32) ?? new Uint8Array());
      }
      machine.kill(disk);
      const next = await open(machine.opener(), options);
      t.equal((await next.stats()).lost, 3, 'what was in it is told as lost');
      t.equal(await next.write(bytes('more')), 7);
      t.same(await Promise.all([3, 4, 5, 6].map(async (index) => (await next.read(index))?.length)), [
        100,
        undefined,
        undefined,
        undefined,
      ]);
      await next.close();
      t.equal((await verifyOn(machine.opener(), { directory: '/q' })).ok, true);
      const again = await open(machine.opener(), options);
      t.same([await again.nextIndex(), await again.length()], [8, 4]);
      await again.close();
    }
  });

t.test('that they are lost is on the device before the log goes on behind them', async (t) => {
  const options = { durability: 'written', maxFileSize: 320 } as const;
  const machine = new MemoryDisk();
  const store = await open(machine.opener(), options);
  for (let at = 1; at <= 8; at++) await store.write(bytes(`record number ${at}, with some more bytes`));
  const last =
    [...machine.snapshot().keys()]
      .filter((path) => path.endsWith('.dat'))
      .sort()
      .at(-1) ?? '';
  machine.opener().open(last, 'write')?.syncNow();
  // The names of the others do not survive.
  for (const path of machine.snapshot().keys())
    if (path.endsWith('.dat') && path !== last) machine.opener().unlink(path);
  machine.powerCut({ writes: 'lose', names: 'keep' });
  const next = await open(machine.opener(), options);
  const { lost } = await next.stats();
  t.ok(lost > 0);
  await next.write(bytes('behind them'), { durability: 'synced' });
  // This one says that what was lost is safe, as far as it was there.
  const index = await next.write(bytes('behind them'), { durability: 'synced' });
  machine.powerCut({ writes: 'lose', names: 'lose' });
  const again = await open(machine.opener(), options);
  t.equal((await again.stats()).lost, lost);
  t.equal((await all(again.entries())).at(-1), `${index} behind them`, 'and no hole is taken for damage');
  await again.close();
});

t.test('facts are on the device before the segment is unlinked', async (t) => {
  const machine = new MemoryDisk();
  const store = await open(machine.opener(), { durability: 'written', maxFileSize: 320 });
  for (let at = 1; at <= 6; at++) await store.write(bytes(`record number ${at}, with some more bytes`));
  const operations: string[] = [];
  machine.onOperation = ({ kind, path }) => {
    if (kind === 'unlink' || kind === 'sync') operations.push(`${kind} ${path}`);
    return undefined;
  };
  await store.delete([1, 2, 3]);
  await store.prune(4);
  const unlinked = operations.indexOf(`unlink ${DATA}`);
  const synced = operations.indexOf('sync /q/duro.fate.1');
  t.ok(unlinked >= 0 && synced >= 0 && synced < unlinked, operations.join(', '));
  await store.close();
});

t.test('seen is not yet safe: a synced fact syncs the record that it names first', async (t) => {
  const machine = new MemoryDisk();
  const producer = await openOn(machine.opener(), { durability: 'written' });
  const consumer = await openOn(machine.opener(), {});
  await producer.enqueue(bytes('a message'));
  const synced: string[] = [];
  machine.onOperation = ({ kind, path }) => {
    if (kind === 'sync') synced.push(path);
    return undefined;
  };
  t.same(await consumer.dequeue(), bytes('a message'));
  t.same(synced, [DATA, '/q/duro.fate.1']);
  await producer.close();
  await consumer.close();
});

t.test('a failed sync', async (t) => {
  await t.test('of records: nobody calls anything synced until somebody has opened again', async (t) => {
    const machine = new MemoryDisk();
    const [a, b] = [machine.opener('a'), machine.opener('b')];
    const one = await open(a);
    const other = await open(b);
    await one.write(bytes('one'));
    machine.onOperation = inject({ error: 'EIO' }, onKind('sync'), onPath(/dat$/), onIndex(1));
    await t.rejects(one.write(bytes('two')), { code: 'STORE_FAILED' });
    t.ok(machine.bytes('/q/duro.suspect'), 'it leaves a mark');
    await t.rejects(one.write(bytes('three')), { code: 'STORE_FAILED' }, 'the store stays failed');
    await t.rejects(
      other.write(bytes('four')),
      { code: 'STORE_FAILED' },
      'and so does the other, though its sync would succeed',
    );
    const there = await all(other.entries());
    await one.close();
    await other.close();
    const next = await open(machine.opener());
    t.same(await all(next.entries()), there, 'nothing that could be read is gone');
    t.notOk(machine.bytes('/q/duro.suspect'));
    t.ok(
      [...machine.snapshot().keys()].filter((path) => path.endsWith('.dat')).length > 1,
      'a new segment was begun',
    );
    machine.powerCut({ writes: 'lose', names: 'lose' });
    const last = await open(machine.opener());
    t.same(await all(last.entries()), there, 'it is on the device now');
    await last.close();
  });

  await t.test('of facts: the same', async (t) => {
    const machine = new MemoryDisk();
    const one = await openOn(machine.opener('a'), {});
    const other = await openOn(machine.opener('b'), {});
    await one.enqueueMany(['1', '2', '3', '4'].map(bytes));
    machine.onOperation = inject({ error: 'EIO' }, onKind('sync'), onPath(/fate/), onIndex(1));
    await t.rejects(one.dequeue(), { code: 'STORE_FAILED' });
    await t.rejects(other.dequeue(), { code: 'STORE_FAILED' }, 'the lost pages count as clean');
    await one.close();
    await other.close();
    const next = await openOn(machine.opener(), {});
    const left = await next.length();
    machine.powerCut({ writes: 'lose', names: 'lose' });
    const last = await openOn(machine.opener(), {});
    t.equal(await last.length(), left);
    await last.close();
  });
});

t.test('times never go backwards, whatever the clock does', async (t) => {
  const machine = new MemoryDisk();
  let now = 2_000_000_000_000;
  const clock = { ...stillClock, now: () => now };
  let latest = 0;
  for (let opening = 0; opening < 5; opening++) {
    const store = await open(machine.opener(), { clock, maxFileSize: 512 });
    for (let at = 0; at < 3; at++) {
      const time = (await store.entry(await store.write(bytes('x'.repeat(60)))))?.time.getTime() ?? 0;
      t.ok(time >= latest, `${time}`);
      latest = time;
      now -= 1000;
    }
    await store.close();
  }
});

t.test('opening and closing alone leaves room, however often', async (t) => {
  const machine = new MemoryDisk();
  const largest = 512 - 32 - 76 - 36;
  for (let at = 0; at < 20; at++) await (await open(machine.opener(), { maxFileSize: 512 })).close();
  const store = await open(machine.opener(), { maxFileSize: 512 });
  t.equal(await store.write(new Uint8Array(largest)), 1);
  t.equal(await store.write(new Uint8Array(largest)), 2);
  await store.close();
  for (let at = 0; at < 20; at++) await (await open(machine.opener(), { maxFileSize: 512 })).close();
  const again = await open(machine.opener(), { maxFileSize: 512 });
  t.equal(await again.write(new Uint8Array(largest)), 3);
  await again.close();
  for (const [path, { length }] of machine.snapshot())
    if (path.endsWith('.dat')) t.ok(length <= 512, `${path}: ${length} bytes, seal included`);
  t.same(checkDirectoryOn(machine.opener(), '/q'), []);
});

t.test('a disk of any size fills up, and goes on when there is room', async (t) => {
  for (let room = 0; room < 1500; room += 73) {
    const machine = new MemoryDisk();
    const disk = machine.opener();
    const store = await open(disk, { maxFileSize: 512, durability: 'written' });
    machine.capacityBytes = machine.usedBytes + room;
    const written: string[] = [];
    const put = async (): Promise<boolean> => {
      const text = `record ${written.length + 1} of ${room}`.padEnd(50);
      try {
        written.push(`${await store.write(bytes(text))} ${text}`);
        return true;
      } catch (error) {
        t.match(error, { code: 'DISK_FULL' });
        return false;
      }
    };
    while (await put());
    t.equal(await put(), false);
    machine.capacityBytes = Number.POSITIVE_INFINITY;
    t.equal(await put(), true, 'the same store goes on');
    await t.resolves(store.writeMany([bytes('a'), bytes('b')]));
    t.same((await all(store.entries())).slice(0, -2), written);
    machine.kill(disk);
    const next = await open(machine.opener());
    t.same((await all(next.entries())).slice(0, -2), written, `${written.length} records`);
    await next.close();
  }
});

t.test('an unknown version is refused and nothing is touched', async (t) => {
  const machine = await ten();
  const before = (): string =>
    JSON.stringify(
      [...machine.snapshot()].map(([path, content]) => [path, Buffer.from(content).toString('hex')]),
    );
  const meta = machine.bytes('/q/duro.meta') ?? new Uint8Array();
  machine.put('/q/duro.meta', bytes(new TextDecoder().decode(meta).replace('"version":1', '"version":2')));
  let seen = before();
  await t.rejects(open(machine.opener()), { code: 'UNSUPPORTED_VERSION' }, 'of the directory');
  t.equal(before(), seen);
  machine.put('/q/duro.meta', meta);
  for (const path of [DATA, '/q/duro.fate.1']) {
    const whole = machine.bytes(path) ?? new Uint8Array();
    const other = Buffer.from(whole);
    other[5] = 2;
    other.writeUInt32LE(crc(other.subarray(0, 28)), 28);
    machine.put(path, other);
    seen = before();
    await t.rejects(open(machine.opener()), { code: 'UNSUPPORTED_VERSION' }, path);
    t.equal(before(), seen);
    machine.put(path, whole);
  }
  const store = await open(machine.opener());
  t.equal(await store.length(), 10);
  await store.close();
});

t.test('journals that grow long are succeeded, at every size the same state', async (t) => {
  const directory = await temporaryDirectory(t);
  const queue = await openQueue<number>({ directory, durability: 'written', maxAttempts: 100 });
  const values = Array.from({ length: 1000 }, (_, at) => at);
  await queue.enqueueMany(values);
  for (let round = 0; round < 30; round++) {
    const deliveries = await queue.claimMany(1000);
    t.equal(deliveries.length, 1000);
    await Promise.all(deliveries.map((delivery) => delivery.nack()));
  }
  t.same(await queue.peekMany(3), [0, 1, 2]);
  const journals = readdirSync(directory).filter((name) => /fate\.\d+$/.test(name));
  t.notOk(journals.includes('duro.fate.1'), journals.join(' '));
  t.equal((await queue.claim())?.attempt, 31);
  await queue.close();
  const again = await openQueue<number>({ directory, maxAttempts: 100 });
  t.equal(await again.length(), 1000);
  t.equal((await again.claim())?.attempt, 32, 'attempts survive the succession');
  await again.close();
});

t.test("entries that cannot be written are nobody's error", async (t) => {
  const machine = new MemoryDisk();
  const disk = machine.opener();
  const store = await open(disk);
  machine.onOperation = ({ kind, path }) =>
    path === ENTRIES && kind !== 'open' ? { error: 'EIO' } : undefined;
  t.equal(await store.write(bytes('one')), 1);
  t.same(await store.writeMany([bytes('two'), bytes('three')]), [2, 3]);
  machine.onOperation = undefined;
  t.same(await all(store.entries()), ['1 one', '2 two', '3 three']);
  t.equal(await store.write(bytes('four')), 4);
  t.same(await store.read(2), bytes('two'));
  machine.kill(disk);
  const next = await open(machine.opener());
  t.same((await all(next.entries())).length, 4);
  await next.close();
});

t.test('entries whose frames did not survive are not believed', async (t) => {
  for (const names of ['keep', 'lose'] as const) {
    const machine = new MemoryDisk();
    const store = await open(machine.opener(), { durability: 'written' });
    await store.write(bytes('one'), { durability: 'synced' });
    await store.writeMany([bytes('two'), bytes('three')]);
    machine.opener().open(ENTRIES, 'write')?.syncNow();
    machine.powerCut({ writes: 'lose', names });
    const next = await open(machine.opener());
    t.equal(await next.nextIndex(), 2);
    t.equal(await next.write(bytes('another two')), 2);
    t.same(await all(next.entries()), ['1 one', '2 another two']);
    await next.close();
  }
});

t.test('a directory that is replaced while it is opened is refused', async (t) => {
  const machine = await ten();
  const meta = machine.bytes('/q/duro.meta') ?? new Uint8Array();
  const other = summedAnew(new TextDecoder().decode(meta).replace(/"id":"..../, '"id":"0000'));
  let replaced = false;
  machine.onOperation = ({ kind, path }) => {
    if (kind === 'lock' && path === '/q/duro.alive.lock' && !replaced) {
      replaced = true;
      machine.put('/q/duro.meta', other);
    }
    return undefined;
  };
  await t.rejects(open(machine.opener()), { code: 'STORE_FAILED', message: /replaced/ });
});

t.test('a segment that is wholly gone does not count against maxFiles', async (t) => {
  const machine = new MemoryDisk();
  const queue = await openOn(machine.opener(), { maxFiles: 1, maxFileSize: 320 });
  machine.onOperation = inject({ error: 'EACCES' }, onKind('unlink'));
  for (let at = 0; at < 20; at++) {
    await queue.enqueue(bytes('a message of some length, so that few fit'.padEnd(90)));
    t.ok(await queue.dequeue());
  }
  await queue.close();
});

function crc(of: Uint8Array): number {
  let sum = -1;
  for (const byte of of) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  }
  return ~sum >>> 0;
}

t.test('a cut that closing makes and cannot sync leaves a mark', async (t) => {
  const machine = new MemoryDisk();
  const store = await open(machine.opener());
  await store.write(bytes('synced'));
  const dying = machine.opener('dying');
  const other = await open(dying, { durability: 'written' });
  machine.onOperation = inject({ torn: 20 }, onOpener('dying'), onKind('write'), onPath(/\.dat$/));
  await t.rejects(other.write(bytes('half of it')));
  t.ok(dying.dead);
  machine.onOperation = inject({ error: 'EIO' }, onKind('sync'), onPath(/\.dat$/));
  await store.close();
  t.ok(machine.bytes('/q/duro.suspect'), 'nobody calls anything synced until it was written again');
  machine.onOperation = undefined;
  const again = await open(machine.opener());
  t.same(await all(again.entries()), ['1 synced']);
  t.notOk(machine.bytes('/q/duro.suspect'));
  await again.close();
});

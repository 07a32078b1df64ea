import fc from 'fast-check';
import t from 'tap';
import { Descriptors } from '../../src/disk/descriptors.js';
import { GroupSync } from '../../src/disk/group-sync.js';
import { MemoryDisk } from '../../src/disk/memory.js';
import { checksum } from '../../src/frame/checksum.js';
import { FEATURE_STREAMS } from '../../src/frame/file-header.js';
import { emptyHead, FrameKind, readHead } from '../../src/frame/frame.js';
import { IndexSet } from '../../src/journal/index-set.js';
import { Batch } from '../../src/segment/batch.js';
import { ChunkCache } from '../../src/segment/chunk-cache.js';
import { ENTRY_BYTES, entryPosition, readEntry, writeEntry } from '../../src/segment/entry.js';
import { encodeSafeMark, encodeSeal, greatestTimeOfSeal, SEAL_BYTES } from '../../src/segment/seal.js';
import { SegmentList } from '../../src/segment/segment-list.js';

t.test('entries', async (t) => {
  const bytes = Buffer.alloc(ENTRY_BYTES);
  writeEntry(bytes, 0, 0x010203040506, 0x11121314, 0x21222324, 0x313233343536);
  t.equal(
    bytes.toString('hex'),
    '060504030201' + '00' + '00' + '14131211' + '24232221' + '363534333231' + '000000000000' + '9e8aaa77',
  );
  const found = { position: 0, length: 0 };
  t.equal(readEntry(bytes, 0, 0x010203040506, found), true);
  t.same(found, { position: 0x11121314, length: 0x21222324 });
  t.equal(readEntry(bytes, 0, 0x010203040507, found), false, "another record's");
  t.equal(readEntry(Buffer.alloc(ENTRY_BYTES), 0, 0, found), false, 'zeros are none');
  for (let at = 0; at < ENTRY_BYTES; at++) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    if (readEntry(changed, 0, 0x010203040506, found)) t.fail(`accepted with byte ${at} changed`);
  }
  t.same([entryPosition(10, 10), entryPosition(10, 13)], [32, 32 + 3 * 32]);
});

t.test('an entry is written by words as by bytes, whatever is in it', async () => {
  const uint48 = fc.oneof(
    fc.integer({ min: 0, max: 2 ** 48 - 1 }),
    fc.constantFrom(2 ** 31, 2 ** 32, 2 ** 48 - 1),
  );
  const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  const fields = fc.tuple(uint48, uint32, uint32, uint48, fc.nat(255), uint48, fc.boolean(), fc.nat(3));
  fc.assert(
    fc.property(fields, ([index, position, length, time, flags, due, marked, at]) => {
      const bytes = Buffer.alloc(ENTRY_BYTES + 8, 0xee);
      writeEntry(bytes, at, index, position, length, time, { flags, due }, marked);
      const expected = Buffer.alloc(ENTRY_BYTES + 8, 0xee);
      expected.writeUIntLE(index, at, 6);
      expected.writeUInt8(flags, at + 6);
      expected.writeUInt8(marked ? 1 : 0, at + 7);
      expected.writeUInt32LE(position, at + 8);
      expected.writeUInt32LE(length, at + 12);
      expected.writeUIntLE(time, at + 16, 6);
      expected.writeUIntLE(due, at + 22, 6);
      expected.writeUInt32LE(checksum(expected, at, at + 28), at + 28);
      return bytes.equals(expected);
    }),
  );
});

t.test('seals and marks', async (t) => {
  const seal = encodeSeal(1000, 11, 5, 9, {
    count: 10,
    firstTime: 3,
    lastTime: 4,
    greatestTime: 7,
    marked: false,
  });
  t.equal(
    seal.toString('hex'),
    '4c000000' +
      '02' +
      '01' +
      '0000' +
      '0b0000000000' +
      '050000000000' +
      '090000000000' +
      '0000' +
      'efa7ef18' +
      '0b9ed7ad' +
      '0a0000000000' +
      '030000000000' +
      '040000000000' +
      '070000000000' +
      '00'.repeat(16),
  );
  t.equal(seal.length, SEAL_BYTES);
  t.equal(greatestTimeOfSeal(seal, 0), 7);
  const head = emptyHead();
  t.ok(readHead(encodeSafeMark(1000, 11, 5), 0, 1000, head));
  t.match(head, { kind: FrameKind.mark, number: 11, safe: 10, time: 5, flags: 1 });
});

t.test('a set of indexes is a set', async (t) => {
  /** Near the borders of words and blocks, where the mistakes are. */
  const index = fc.oneof(
    fc.integer({ min: 1, max: 70 }),
    fc.integer({ min: 4090, max: 4100 }),
    fc.integer({ min: 8185, max: 8200 }),
    fc.integer({ min: 1, max: 13_000 }),
  );
  const step = fc.oneof(
    index.map((at) => ['add', at, at + 1] as const),
    fc
      .tuple(index, fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 9000 })))
      .map(([from, count]) => ['addRange', from, from + count] as const),
    index.map((at) => ['remove', at, at + 1] as const),
    fc.constant(['clear', 0, 0] as const),
  );
  const runs = { numRuns: 150 };
  fc.assert(
    fc.property(fc.array(fc.oneof({ weight: 20, arbitrary: step }), { maxLength: 25 }), (steps) => {
      const set = new IndexSet();
      const naive = new Set<number>();
      for (const [what, from, to] of steps) {
        const before = naive.size;
        if (what === 'clear') {
          set.clear();
          naive.clear();
        } else if (what === 'remove') {
          if (set.remove(from) !== naive.delete(from)) throw new Error(`remove ${from}`);
        } else {
          for (let at = from; at < to; at++) naive.add(at);
          const added = what === 'add' ? Number(set.add(from)) : set.addRange(from, to);
          if (added !== naive.size - before) throw new Error(`${what} ${from} ${to} added ${added}`);
        }
        if (set.count !== naive.size) throw new Error(`count ${set.count}, not ${naive.size}`);
      }
      let absent = 25_000;
      for (let at = 25_000; at >= 1; at--) {
        if (set.has(at) !== naive.has(at)) throw new Error(`has ${at}`);
        if (!naive.has(at)) absent = at;
        if (at < 120 || at % 64 < 2 || at % 4096 > 4090)
          if (set.firstAbsent(at) !== absent)
            throw new Error(`first absent from ${at}: ${set.firstAbsent(at)}, not ${absent}`);
      }
      const members: number[] = [];
      for (const { from, to } of set.ranges()) for (let at = from; at < to; at++) members.push(at);
      const wanted = [0, ...[...naive].sort((a, b) => a - b)];
      if (members.join() !== wanted.join()) throw new Error('ranges');
    }),
    runs,
  );
  t.pass();
});

t.test('a million in order cost one range', async (t) => {
  const set = new IndexSet();
  for (let at = 1; at <= 1_000_000; at++) set.add(at);
  t.same([...set.ranges()], [{ from: 0, to: 1_000_001 }]);
  t.equal(set.firstAbsent(1), 1_000_001);
});

t.test('the list of segments', async (t) => {
  const list = new SegmentList();
  t.same(
    [list.lowest, list.highest, list.length, list.holding(1), list.after(1)],
    [undefined, undefined, 0, undefined, undefined],
  );
  for (const first of [10, 30, 20, 20]) list.add(first);
  t.same([...list], [10, 20, 30]);
  t.same(
    [9, 10, 19, 20, 29, 30, 1000].map((index) => list.holding(index)),
    [undefined, 10, 10, 20, 20, 30, 30],
  );
  t.same(
    [1, 10, 15, 20, 30].map((first) => list.after(first)),
    [10, 20, 20, 30, undefined],
  );
  list.drop(20);
  list.drop(25);
  t.same([...list], [10, 30]);
  list.reset([5]);
  t.same([list.lowest, list.highest], [5, 5]);
});

t.test('the chunk cache is bounded, and its bytes are right', async (t) => {
  const content = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 31 + (at >> 8)) & 0xff));
  const machine = new MemoryDisk();
  machine.put('/q/a', content);
  machine.put('/q/b', Buffer.from(content).reverse());
  const disk = machine.opener();
  const files = [disk.open('/q/a', 'read'), disk.open('/q/b', 'read')];
  for (const maxBytes of [0, 4095, 4096, 65_536, 200_000]) {
    const cache = new ChunkCache(maxBytes);
    fc.assert(
      fc.property(fc.nat(1), fc.nat(299_000), fc.nat(999), (which, position, length) => {
        const file = files[which];
        if (file === undefined) throw new Error('not there');
        const end = Math.max(position + length, 250_000);
        const bytes = cache.view(file, position, length, end);
        if (cache.bytes > maxBytes) throw new Error(`${cache.bytes} bytes held of ${maxBytes}`);
        if (bytes === undefined) return;
        const wanted = Buffer.alloc(length);
        file.read(wanted, 0, length, position);
        if (!wanted.equals(bytes.subarray(cache.at, cache.at + length))) throw new Error('other bytes');
      }),
      { numRuns: 300 },
    );
    if (maxBytes < 4096) t.equal(cache.bytes, 0, 'too little to cache anything');
    cache.clear();
    t.equal(cache.bytes, 0);
  }
});

t.test(
  'a chunk is kept once it was asked for four times, with none between that has its place',
  async (t) => {
    const chunk = 64 * 1024;
    const machine = new MemoryDisk();
    machine.put('/q/a', Buffer.alloc(20 * chunk, 1));
    const file = machine.opener().open('/q/a', 'read');
    if (file === undefined) throw new Error('not there');
    const cache = new ChunkCache(4 * chunk);
    const isThere = (number: number): boolean =>
      cache.view(file, number * chunk + 100, 50, 20 * chunk) !== undefined;
    t.same([1, 1, 1, 1, 1].map(isThere), [false, false, false, true, true]);
    t.same([2, 2, 2, 3, 2, 2].map(isThere), [false, false, false, false, true, true], 'others do no harm');
    t.same([8, 8, 8, 12, 8, 8, 8, 8].map(isThere), [false, false, false, false, false, false, false, true]);
    t.equal(cache.bytes, 3 * chunk);
    // More that are kept: the one that was used least recently goes, and has to be asked for as often again.
    for (const number of [5, 6, 1, 7, 8])
      t.same(
        [0, 0, 0, 0].map(() => isThere(number)),
        [false, false, false, true],
      );
    t.equal(cache.bytes, 4 * chunk);
  },
);

t.test('descriptors', async (t) => {
  const machine = new MemoryDisk();
  for (const name of ['a', 'b', 'c', 'd']) machine.put(`/q/${name}`, Buffer.from(name));
  const opened: string[] = [];
  machine.onOperation = ({ kind, path }) => {
    if (kind === 'open') opened.push(path.slice(3));
    return undefined;
  };
  const descriptors = new Descriptors(machine.opener(), 2);
  const get = (name: string): boolean => descriptors.get(`/q/${name}`) !== undefined;
  for (const name of ['a', 'b', 'a', 'c', 'a', 'b']) t.equal(get(name), true);
  t.equal(opened.join(''), 'abcb', 'the one least recently used is closed');
  t.equal(get('none'), false);
  const pinned = descriptors.pin('/q/a');
  for (const name of ['b', 'c', 'd', 'b']) get(name);
  const byte = Buffer.alloc(1);
  t.equal(pinned?.file.read(byte, 0, 1, 0), 1, 'a pinned one stays open');
  descriptors.forget('/q/a');
  t.equal(pinned?.file.read(byte, 0, 1, 0), 1, 'even when it is forgotten');
  pinned?.unpin();
  t.throws(() => pinned?.file.read(byte, 0, 1, 0), { code: 'EBADF' }, 'and is closed when nobody needs it');
  machine.onOperation = ({ kind, n }) => (kind === 'open' && n % 2 === 0 ? { error: 'EACCES' } : undefined);
  const read = descriptors.get('/q/a') ?? descriptors.get('/q/a');
  t.ok(read, 'for reading, where writing is not allowed');
  descriptors.close();
});

t.test('one sync for all who wait', async (t) => {
  const syncs: { done: () => void; fail: (error: Error) => void }[] = [];
  let told = 0;
  const group = new GroupSync({
    sync: () => new Promise<void>((done, fail) => syncs.push({ done, fail })),
    syncHere: () => false,
    failed: (error) => {
      told += 1;
      return new Error(`told: ${(error as Error).message}`);
    },
  });
  const order: string[] = [];
  const ask = (name: string): Promise<void> =>
    group.request().then(
      () => void order.push(name),
      (error: Error) => void order.push(`${name} ${error.message}`),
    );
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const first = ask('1');
  const [second, third] = [ask('2'), ask('3')];
  await turn();
  t.equal(syncs.length, 1, 'who comes during a sync waits for the next');
  syncs[0]?.done();
  await first;
  await turn();
  t.same([order.join(), syncs.length], ['1', 2]);
  const fourth = ask('4');
  syncs[1]?.fail(new Error('EIO'));
  await Promise.all([second, third, fourth]);
  t.same(order.slice(1), ['2 told: EIO', '3 told: EIO', '4 told: EIO']);
  await ask('5');
  t.equal(order.at(-1), '5 told: EIO', 'a failure sticks');
  t.same([syncs.length, told], [2, 1], 'it is not tried again, and told once');
});

t.test('nothing is opened any more once all was closed', (t) => {
  const opener = new MemoryDisk().opener();
  opener.createDirectory('/d');
  opener.create('/d/a')?.close();
  const descriptors = new Descriptors(opener, 2);
  t.ok(descriptors.get('/d/a'));
  descriptors.close();
  t.throws(() => descriptors.get('/d/a'), { code: 'CLOSED' });
  t.end();
});

t.test(
  'what a batch carried and does not any more takes nothing of what its records need with it',
  async (t) => {
    const batch = new Batch();
    batch.begin(64, FEATURE_STREAMS);
    batch.add(Buffer.from('transformed'));
    const { length } = batch;
    for (const _ of [1, 2]) {
      batch.carry(Buffer.from([9, 1, 1]));
      batch.dropCarried();
      t.equal(batch.length, length);
      t.equal(batch.groups[0]?.needs, FEATURE_STREAMS);
    }
  },
);

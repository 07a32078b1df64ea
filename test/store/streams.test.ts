import { randomBytes } from 'node:crypto';
import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { crc32 } from 'node:zlib';
import t, { type Test } from 'tap';
import { verifyOn } from '../../src/care/verify.js';
import { MemoryDisk } from '../../src/disk/memory.js';
import type { CorruptError } from '../../src/errors.js';
import { openStore as openInMemory } from '../../src/memory/mod.js';
import type { Store } from '../../src/store/contract.js';
import { openStoreOn } from '../../src/store/store.js';
import { damagedOnPurpose } from '../support/consistency.js';
import { bytes, contents, range, text } from './records.js';
import { lockFileMachine, memoryWorld, onBothDisks, osWorld, type World } from './world.js';

const MIB = 1024 * 1024;

/** Gives bytes in pieces of so many. */
async function* pieces(data: Uint8Array, size = 100_000): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < data.length; at += size) {
    await null;
    yield data.subarray(at, at + size);
  }
}

async function collect(stream: ReadableStream<Uint8Array> | undefined): Promise<Buffer | undefined> {
  if (stream === undefined) return undefined;
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

const spools = (world: World): string[] => world.files(/\.spool\./);

onBothDisks('what is written as a stream is read, as one and as any other record', async (t, world) => {
  const store = await world.openStore();
  const sizes = [0, 1, 1000, MIB, 4 * MIB, 4 * MIB + 1, 5 * MIB, 9_000_001];
  const written = sizes.map((size) => randomBytes(size));
  t.equal(await store.write(bytes('before')), 1);
  for (const [at, data] of written.entries())
    t.equal(await store.writeStream(pieces(data, 1_500_000), { headers: { at: `${at}` } }), at + 2);
  const after = written.length + 2;
  t.equal(await store.write(bytes('behind')), after);
  const other = await world.openStore();
  for (const reader of [store, other]) {
    for (const [at, data] of written.entries()) {
      t.ok((await collect(await reader.readStream(at + 2)))?.equals(data), `${data.length} bytes`);
      t.ok(Buffer.from((await reader.read(at + 2)) ?? []).equals(data));
      const entry = await reader.entry(at + 2);
      t.same(entry?.headers, { at: `${at}` });
      t.equal(entry?.size, data.length);
    }
    t.equal(text(await reader.read(1)), 'before');
    t.equal(text(await reader.read(after)), 'behind');
    t.equal((await collect(await reader.readStream(1)))?.toString(), 'before');
    const seen: number[] = [];
    for await (const { index } of reader.entries()) seen.push(index);
    t.same(seen, range(1, after));
    t.equal(await reader.length(), after);
  }
  t.equal(await store.readStream(99), undefined);
  t.same(spools(world), []);
});

onBothDisks('streams one behind the other, in a new store and between others', async (t, world) => {
  const store = await world.openStore({ durability: 'written', maxFileSize: 4096 });
  const other = await world.openStore({ durability: 'written', maxFileSize: 4096 });
  const data = range(1, 12).map((at) => Buffer.alloc(at % 3 === 0 ? 10 : 5000 + at, at));
  for (const [at, one] of data.entries())
    t.equal(await (at % 2 === 0 ? store : other).writeStream(pieces(one, 700)), at + 1);
  t.equal(await store.write(bytes('x')), 13);
  for (const [at, one] of data.entries())
    for (const reader of [store, other]) t.ok((await collect(await reader.readStream(at + 1)))?.equals(one));
  await store.close();
  const again = await world.openStore();
  for (const [at, one] of data.entries()) t.ok((await collect(await again.readStream(at + 1)))?.equals(one));
  t.equal(await again.nextIndex(), 14);
});

onBothDisks('no lock is held, and nothing is seen, before the end', async (t, world) => {
  const store = await world.openStore({ maxFileSize: 4096 });
  const other = await world.openStore({ maxFileSize: 4096 });
  let go = (): void => {};
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  async function* slow(): AsyncGenerator<Uint8Array, void> {
    yield Buffer.alloc(10_000, 1);
    await gate;
    yield Buffer.alloc(10_000, 2);
  }
  const writing = store.writeStream(slow());
  while (spools(world).length === 0) await new Promise((resolve) => setImmediate(resolve));
  t.equal(await other.write(bytes('one')), 1);
  t.equal(await store.write(bytes('two')), 2);
  t.equal(await other.length(), 2);
  go();
  t.equal(await writing, 3);
  t.equal((await other.entry(3))?.size, 20_000);
  t.equal(await other.write(bytes('four')), 4);
  t.same(spools(world), []);
});

const failures: Record<string, (t: Test, store: Store) => Promise<void>> = {
  'a source that throws': async (t, store) => {
    async function* throws(): AsyncGenerator<Uint8Array, void> {
      yield Buffer.alloc(10_000);
      throw new Error('the source is gone');
    }
    await t.rejects(store.writeStream(throws()), { message: 'the source is gone' });
  },
  'a source that gives no bytes': async (t, store) => {
    async function* odd(): AsyncGenerator<Uint8Array, void> {
      yield Buffer.alloc(10_000);
      yield 'text' as unknown as Uint8Array;
    }
    await t.rejects(store.writeStream(odd()), { code: 'INVALID_OPTION', message: /^source/ });
  },
  'no source': async (t, store) => {
    for (const wrong of [undefined, null, 'text', {}, [Buffer.alloc(1)]])
      await t.rejects(store.writeStream(wrong as unknown as AsyncIterable<Uint8Array>), {
        code: 'INVALID_OPTION',
      });
  },
  'an abort': async (t, store) => {
    const abort = new AbortController();
    let ended = false;
    async function* endless(): AsyncGenerator<Uint8Array, void> {
      try {
        for (let at = 0; ; at++) {
          yield Buffer.alloc(10_000);
          if (at === 2) abort.abort(new Error('enough'));
        }
      } finally {
        ended = true;
      }
    }
    await t.rejects(store.writeStream(endless(), { signal: abort.signal }), { message: 'enough' });
    t.ok(ended, 'the source is told');
    await t.rejects(store.writeStream(endless(), { signal: abort.signal }), { message: 'enough' });
  },
  'an abort in the midst of a large chunk': async (t, store) => {
    const abort = new AbortController();
    const chunk = new Uint8Array(100 * MIB);
    const same = new Uint8Array(chunk.buffer);
    let parts = 0;
    chunk.subarray = (from, to) => {
      parts += 1;
      return same.subarray(from, to);
    };
    async function* source(): AsyncGenerator<Uint8Array, void> {
      setImmediate(() => abort.abort(new Error('enough')));
      yield chunk;
    }
    await t.rejects(store.writeStream(source(), { signal: abort.signal }), { message: 'enough' });
    t.ok(parts < 100, `${parts} parts were written before`);
  },
  'an abort while the source says nothing': async (t, store) => {
    const abort = new AbortController();
    async function* silent(): AsyncGenerator<Uint8Array, void> {
      yield Buffer.alloc(10_000);
      setImmediate(() => abort.abort(new Error('enough')));
      await new Promise(() => {});
    }
    await t.rejects(store.writeStream(silent(), { signal: abort.signal }), { message: 'enough' });
  },
};

for (const [name, fail] of Object.entries(failures))
  onBothDisks(`${name} leaves nothing`, async (t, world) => {
    const store = await world.openStore({ maxFileSize: 4096 });
    await store.write(bytes('one'));
    await fail(t, store);
    t.same(spools(world), []);
    t.equal(await store.write(bytes('two')), 2);
    t.same(await contents(store), [
      [1, 'one'],
      [2, 'two'],
    ]);
  });

onBothDisks('closing ends it with CLOSED, and leaves nothing', async (t, world) => {
  const store = await world.openStore({ maxFileSize: 4096 });
  async function* silent(): AsyncGenerator<Uint8Array, void> {
    yield Buffer.alloc(10_000);
    await new Promise(() => {});
  }
  const writing = store.writeStream(silent());
  const told = t.rejects(writing, { code: 'CLOSED' });
  while (spools(world).length === 0) await new Promise((resolve) => setImmediate(resolve));
  await store.close();
  t.same(spools(world), []);
  await told;
  await t.rejects(store.writeStream(silent()), { code: 'CLOSED' });
  await t.rejects(store.readStream(1), { code: 'CLOSED' });
});

onBothDisks('too large is told as soon as it is known, and nothing was written', async (t, world) => {
  const store = await world.openStore({ maxFileSize: 8192, maxRecordSize: 6000 });
  t.equal(await store.writeStream(pieces(new Uint8Array(6000), 1000)), 1);
  let asked = 0;
  async function* endless(): AsyncGenerator<Uint8Array, void> {
    for (;;) {
      asked += 1;
      yield new Uint8Array(1000);
    }
  }
  await t.rejects(store.writeStream(endless()), { code: 'RECORD_TOO_LARGE', message: /6000 bytes/ });
  t.equal(asked, 7);
  t.same(spools(world), []);
  t.equal(await store.nextIndex(), 2);
  const larger = await world.openStore({ maxFileSize: 8192 });
  t.equal(await larger.writeStream(pieces(new Uint8Array(100_000), 1000)), 2, 'beyond the size of a file');
});

onBothDisks('a reader goes on though the record is deleted, and its file removed', async (t, world) => {
  const store = await world.openStore();
  const data = randomBytes(6 * MIB);
  await store.writeStream(pieces(data));
  const reader = (await store.readStream(1))?.getReader();
  const first = await reader?.read();
  await store.write(randomBytes(5 * MIB));
  await store.write(new Uint8Array(60 * MIB));
  await store.prune(3);
  t.equal(await store.read(1), undefined);
  const parts: Uint8Array[] = [first?.value ?? new Uint8Array()];
  for (let step = await reader?.read(); step?.done === false; step = await reader?.read())
    parts.push(step.value);
  t.ok(Buffer.concat(parts).equals(data));
});

onBothDisks('a reader that is cancelled, or whose store is closed', async (t, world) => {
  const store = await world.openStore();
  await store.writeStream(pieces(randomBytes(6 * MIB)));
  const cancelled = await store.readStream(1);
  await cancelled?.cancel();
  const reader = (await store.readStream(1))?.getReader();
  t.equal((await reader?.read())?.value?.length, MIB);
  await store.close();
  await t.rejects(async () => reader?.read(), { code: 'CLOSED' });
});

onBothDisks('CORRUPT comes before a wrong byte, and everything before it', async (t, world) => {
  damagedOnPurpose(world.directory);
  const store = await world.openStore();
  const streamed = randomBytes(6 * MIB);
  const ordinary = randomBytes(3 * MIB);
  await store.write(ordinary);
  await store.writeStream(pieces(streamed));
  await store.write(bytes('behind'));
  await store.close();
  const [one = '', two = ''] = world.files(/\.dat$/);
  world.flip(one, 32 + 36 + 2 * MIB);
  const inStream = 32 + 36 + 8264;
  world.flip(two, inStream + 3 * MIB + 5);
  const again = await world.openStore();
  const read = async (index: number): Promise<[number, CorruptError | undefined]> => {
    let count = 0;
    try {
      for await (const part of (await again.readStream(index)) ?? []) {
        const before = index === 2 ? streamed : ordinary;
        t.ok(Buffer.from(part).equals(before.subarray(count, count + part.length)));
        count += part.length;
      }
      return [count, undefined];
    } catch (error) {
      return [count, error as CorruptError];
    }
  };
  const [countOfTwo, errorOfTwo] = await read(2);
  t.equal(countOfTwo, 3 * MIB, 'of a stream what stands before it is whole');
  t.match(errorOfTwo, { code: 'CORRUPT', indexes: { from: 2, to: 2 } });
  const [countOfOne, errorOfOne] = await read(1);
  t.equal(countOfOne, 0, 'of another record nothing is known before its end');
  t.match(errorOfOne, { code: 'CORRUPT', indexes: { from: 1, to: 1 } });
  await t.rejects(again.read(2), { code: 'CORRUPT' });
  t.equal(text(await again.read(3)), 'behind');
});

onBothDisks('maxFiles and whenFull are as for any other write', async (t, world) => {
  const store = await world.openStore({ maxFiles: 2, maxFileSize: 4096 });
  await store.writeStream(pieces(Buffer.alloc(9000)));
  await store.writeStream(pieces(Buffer.alloc(9000)));
  await t.rejects(store.writeStream(pieces(Buffer.alloc(9000))), { code: 'STORE_FULL' });
  t.same(spools(world), []);
  const dropping = await world.openStore({ maxFiles: 2, maxFileSize: 4096, whenFull: 'drop-oldest' });
  t.equal(await dropping.writeStream(pieces(Buffer.alloc(9000))), 3);
  t.equal(await dropping.firstIndex(), 2);
  const waiting = await world.openStore({ maxFiles: 2, maxFileSize: 4096, whenFull: 'wait' });
  const abort = new AbortController();
  const aborted = waiting.writeStream(pieces(Buffer.alloc(9000)), { signal: abort.signal });
  setTimeout(() => abort.abort(new Error('enough')), 10);
  await t.rejects(aborted, { message: 'enough' });
  const written = waiting.writeStream(pieces(Buffer.alloc(9000)));
  await store.delete(2);
  t.equal(await written, 4);
  t.same(spools(world), []);
});

t.test('what a dead writer left is removed by the next opener, and by the next who spools', async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const opener = machine.opener();
  const options = { directory: '/store', maxFileSize: 4096 };
  const dying = await openStoreOn(opener, options);
  async function* silent(): AsyncGenerator<Uint8Array, void> {
    yield Buffer.alloc(10_000);
    await new Promise(() => {});
  }
  const leave = async (): Promise<void> => {
    const before = spools(world).length;
    void dying.writeStream(silent()).catch(() => {});
    while (spools(world).length === before) await new Promise((resolve) => setImmediate(resolve));
  };
  const lives = await world.openStore(options);
  await leave();
  await lives.writeStream(pieces(Buffer.alloc(9000)));
  t.equal(spools(world).length, 1, 'while its writer lives it stays');
  await (await world.openStore(options)).close();
  t.equal(spools(world).length, 1);
  machine.kill(opener);
  await lives.writeStream(pieces(Buffer.alloc(9000)));
  t.same(spools(world), []);
  machine.put('/store/duro.spool.abc', Buffer.alloc(100));
  await world.openStore(options);
  t.same(spools(world), []);
});

onBothDisks('many streams at once, in and out', async (t, world) => {
  const warnings: Error[] = [];
  const warn = (warning: Error): void => void warnings.push(warning);
  process.on('warning', warn);
  const store = await world.openStore({ durability: 'written', maxFileSize: 4096 });
  const indexes = await Promise.all(
    range(1, 20).map((at) => store.writeStream(pieces(Buffer.alloc(9000, at)))),
  );
  t.same(
    [...indexes].sort((a, b) => a - b),
    range(1, 20),
    'each has an index of its own',
  );
  const streams = await Promise.all(indexes.map((index) => store.readStream(index)));
  for (const [at, stream] of streams.entries())
    t.ok((await collect(stream))?.equals(Buffer.alloc(9000, at + 1)));
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', warn);
  t.same(warnings, []);
});

t.test('with lock files what nobody has written to for a day is removed', async (t) => {
  const world = await osWorld(t);
  const options = { locking: 'lockfile', maxFileSize: 4096 } as const;
  await (await world.openStore(options)).close();
  world.put('duro.spool.old', Buffer.alloc(100));
  world.put('duro.spool.new', Buffer.alloc(100));
  const before = new Date(Date.now() - 25 * 3600 * 1000);
  utimesSync(join(world.directory, 'duro.spool.old'), before, before);
  await world.openStore(options);
  t.same(spools(world), ['duro.spool.new']);
});

t.test('⚑ an empty segment of an older program is not replaced: one may have it open', async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  await (await world.openStore()).close();
  const [name = ''] = world.files(/\.dat$/);
  const older = world.bytes(name);
  older.writeUInt16LE(1, 6);
  older.writeUInt32LE(crc32(older.subarray(0, 28)), 28);
  world.put(name, older);
  const store = await world.openStore({ maxFileSize: 4096 });
  await t.rejects(store.writeStream(pieces(Buffer.alloc(9000))), { code: 'UNSUPPORTED' });
  t.same(spools(world), []);
  t.equal(await store.write(bytes('one')), 1);
  t.equal(await store.writeStream(pieces(Buffer.alloc(9000))), 2);
});

t.test('a stream without room on the disk: DISK_FULL, and the store goes on', async (t) => {
  const machine = new MemoryDisk({ capacityBytes: 2_000_000 });
  const world = memoryWorld(t, machine);
  const store = await world.openStore({ maxFileSize: 65_536 });
  await store.write(bytes('one'));
  await t.rejects(store.writeStream(pieces(Buffer.alloc(3_000_000))), { code: 'DISK_FULL' });
  t.same(spools(world), []);
  t.equal(await store.write(bytes('two')), 2);
  t.equal(await store.writeStream(pieces(Buffer.alloc(300_000))), 3);
});

t.test('a piece that was written is not kept', async (t) => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const store = await openInMemory({ durability: 'written' });
  const early: WeakRef<Uint8Array>[] = [];
  let kept = Number.NaN;
  async function* source(): AsyncGenerator<Uint8Array, void> {
    for (let at = 0; at < 120; at++) {
      const piece = new Uint8Array(100_000).fill(at);
      // The first 4 MiB are kept until it is known that there is more.
      if (at >= 50 && at < 90) early.push(new WeakRef(piece));
      yield piece;
      if (at < 119) continue;
      await new Promise(setImmediate);
      collectGarbage();
      kept = early.filter((one) => one.deref() !== undefined).length;
    }
  }
  t.equal(await store.writeStream(source()), 1);
  t.ok(kept <= 2, `${kept} of 40 are kept`);
  await store.close();
});

t.test(
  'a stream that was synced, and the store closed, is CORRUPT where it is damaged, and not cut',
  async (t) => {
    const machine = new MemoryDisk();
    const world = memoryWorld(t, machine);
    const store = await world.openStore({ maxFileSize: 4096 });
    await store.writeStream(pieces(Buffer.alloc(6000, 'x'), 700));
    await store.close();
    world.flip(
      world.files(/\.dat$/)[0] as string,
      world.bytes(world.files(/\.dat$/)[0] as string).length - 2000,
    );
    const again = await world.openStore({ maxFileSize: 4096 });
    await t.rejects(again.read(1), { code: 'CORRUPT' });
    t.equal(await again.write(bytes('next')), 2);
  },
);

t.test('⚑ who follows believes a stream, and looks at its bytes when they are read', async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  damagedOnPurpose(world.directory);
  const store = await world.openStore();
  const follower = await world.openStore();
  await store.write(bytes('one'));
  t.equal(await follower.nextIndex(), 2);
  const data = randomBytes(6 * MIB);
  await store.writeStream(pieces(data));
  const last = world.files(/\.dat$/).at(-1) ?? '';
  // Nobody could know but who looks at them all.
  world.flip(last, 32 + 36 + 8264 + 5 * MIB);
  const later = await world.openStore();
  for (const one of [follower, later]) {
    t.equal(await one.nextIndex(), one === follower ? 3 : 4);
    t.equal(await one.write(bytes('behind')), one === follower ? 3 : 4);
    await t.rejects(one.read(2), { code: 'CORRUPT', indexes: { from: 2, to: 2 } });
    await t.rejects(collect(await one.readStream(2)), { code: 'CORRUPT' });
    t.equal(text(await one.read(3)), 'behind');
  }
  const report = await verifyOn(machine.opener(), { directory: world.directory });
  t.equal(report.ok, false, 'who verifies looks at all');
});

t.test('⚑ a front that is damaged is not believed', async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  damagedOnPurpose(world.directory);
  const store = await world.openStore();
  const follower = await world.openStore();
  await store.write(bytes('one'));
  t.equal(await follower.nextIndex(), 2);
  await store.writeStream(pieces(randomBytes(6 * MIB)));
  world.flip(world.files(/\.dat$/).at(-1) ?? '', 32 + 36 + 20);
  t.equal(await follower.nextIndex(), 2);
});

t.test('⚑ the first opener believes nothing: what a power cut took is cut', async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const opener = machine.opener();
  const dying = await openStoreOn(opener, { directory: '/store', durability: 'written', indexer: false });
  await dying.writeStream(pieces(randomBytes(6 * MIB)));
  machine.kill(opener);
  // Its name and its head were on the device, and one of its blocks was not.
  world.flip(world.files(/\.dat$/)[0] ?? '', 32 + 36 + 8264 + 2 * MIB);
  const store = await world.openStore();
  t.equal(await store.length(), 0);
  t.equal(await store.write(bytes('next')), 1);
  const other = await world.openStore();
  t.same(await contents(other), [[1, 'next']]);
});

t.test(
  'with lock files nobody believes it: another machine may have the name before the bytes',
  async (t) => {
    const machine = lockFileMachine();
    const world = memoryWorld(t, machine);
    damagedOnPurpose(world.directory);
    const store = await world.openStore();
    const follower = await world.openStore();
    await store.write(bytes('one'));
    t.equal(await follower.nextIndex(), 2);
    await store.writeStream(pieces(randomBytes(6 * MIB)));
    const last = world.files(/\.dat$/).at(-1) ?? '';
    const at = 32 + 36 + 8264 + 2 * MIB;
    world.flip(last, at);
    t.equal(await follower.nextIndex(), 2, 'not yet');
    world.flip(last, at);
    t.equal(await follower.nextIndex(), 3);
  },
);

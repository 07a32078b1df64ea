import { crc32 } from 'node:zlib';
import { repairOn } from '../../src/care/repair.js';
import type { Clock } from '../../src/clock.js';
import { FileNames } from '../../src/disk/file-names.js';
import { MemoryDisk } from '../../src/disk/memory.js';
import { inject, onIndex, onKind, onOpener, onPath } from '../../src/disk/memory-fault.js';
import type { MemoryOpener } from '../../src/disk/memory-opener.js';
import { completeHead, FLAG_ENDS_BATCH, placeOf, saltOf, writeBodyFields } from '../../src/frame/frame.js';
import type { JournalLimits } from '../../src/journal/journal.js';
import type { Queue } from '../../src/queue/contract.js';
import type { QueueOptions } from '../../src/queue/options.js';
import { openQueueOn } from '../../src/queue/queue.js';
import { Batch } from '../../src/segment/batch.js';
import { compress } from '../../src/store/compress.js';
import { encrypt } from '../../src/store/encrypt.js';
import { Engine } from '../../src/store/engine.js';
import { resolveStoreOptions, type StoreOptions } from '../../src/store/options.js';
import { EngineStore } from '../../src/store/store.js';
import type { Transform } from '../../src/store/transforms.js';
import { summedAnew } from '../support/format-line.js';
import type { Files } from './dump.js';

const DIRECTORY = '/store';
const names = new FileNames(DIRECTORY, 'duro');
const SMALL = 640;
const LIMITS: JournalLimits = {
  reserveBytes: 64 * 1024,
  leastReserveBytes: 16 * 1024,
  leastGainBytes: 4 * 1024,
  shortenFromBytes: 1024 * 1024,
  shortenFactor: 4,
};
/** A journal is succeeded every few facts. */
const OFTEN: JournalLimits = { ...LIMITS, leastGainBytes: 64, shortenFromBytes: 0, shortenFactor: 1.5 };

/** What is encrypted there is no secret. */
export const goldenKey = { id: 'golden', key: Buffer.from(Array.from({ length: 32 }, (_, at) => at)) };

/** A second passes whenever the time is asked for. */
function clock(): Clock {
  let now = 1_760_000_000_000;
  return {
    now: () => {
      now += 1000;
      return now;
    },
    monotonic: () => 1_000_000,
    setTimer: () => () => {},
  };
}

/** Longer than a file is there. */
const LONG = Array.from({ length: 30 }, (_, at) => `line ${at} of what is long; `).join('');

async function* inHundreds(text: string): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < text.length; at += 100) yield Buffer.from(text.slice(at, at + 100));
}

type Options = Omit<StoreOptions, 'directory'>;

const BY_HAND = { leastBytes: 0, everyMs: 2 ** 40, retryMs: 0 };

const engineOn = (disk: MemoryOpener, options: Options = {}, limits = LIMITS): Promise<Engine> =>
  Engine.open(
    disk,
    resolveStoreOptions(
      { directory: DIRECTORY, indexer: false, clock: clock(), maxFileSize: SMALL, ...options },
      new Set(),
    ),
    limits,
    BY_HAND,
  );

const queueOn = (
  disk: MemoryOpener,
  options: Omit<QueueOptions<unknown>, 'directory'> = {},
  limits = LIMITS,
): Promise<Queue<unknown>> =>
  openQueueOn(
    disk,
    { directory: DIRECTORY, indexer: false, clock: clock(), maxFileSize: SMALL, ...options },
    limits,
  );

/** Twelve records of several kinds, in calls and batches. */
async function fill(store: EngineStore): Promise<void> {
  await store.write(Buffer.from('record 1'));
  await store.writeMany([2, 3, 4].map((index) => Buffer.from(`record ${index}`)));
  await store.write(Buffer.from('record 5'), { headers: { kind: 'fifth', 'trace-id': 'ü' } });
  await store.write(new Uint8Array(0));
  await store.write(Buffer.from(Array.from({ length: 200 }, (_, at) => at)));
  for (const index of [8, 9, 10]) await store.write(Buffer.from(`record ${index}`));
  await store.writeMany([11, 12].map((index) => Buffer.from(`record ${index}`)));
}

/** The files of a machine, by their names in the directory. */
const filesOf = (machine: MemoryDisk): Files =>
  new Map(
    [...machine.snapshot()]
      .filter(([path]) => path.startsWith(`${DIRECTORY}/`))
      .map(([path, bytes]) => [path.slice(DIRECTORY.length + 1), Buffer.from(bytes)]),
  );

/** A machine whose store was filled and closed. */
async function closed(options: Options = {}, remove: readonly number[] = [3]): Promise<MemoryDisk> {
  const machine = new MemoryDisk();
  const engine = await engineOn(machine.opener(), options);
  const store = new EngineStore(engine);
  await fill(store);
  await store.delete(remove);
  await engine.sweeper.idle();
  await store.close();
  return machine;
}

/** The same, whose process was killed. */
async function killed(options: Options = {}): Promise<MemoryDisk> {
  const machine = new MemoryDisk();
  const opener = machine.opener();
  const store = new EngineStore(await engineOn(opener, options));
  await fill(store);
  await store.delete(3);
  machine.kill(opener);
  return machine;
}

const bytesOf = (machine: MemoryDisk, path: string): Buffer => Buffer.from(machine.bytes(path) ?? []);

function flip(machine: MemoryDisk, path: string, find: string | number): void {
  const at = typeof find === 'number' ? find : bytesOf(machine, path).indexOf(find);
  if (at < 0) throw new Error(`${find} is not in ${path}`);
  machine.flip(path, at, 0x10);
}

/** A byte of a header is another, and the header whole. */
function header(machine: MemoryDisk, path: string, at: number, value: number): MemoryDisk {
  const bytes = bytesOf(machine, path);
  bytes[at] = value;
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 28)), 28);
  machine.put(path, bytes);
  return machine;
}

function line(machine: MemoryDisk, path: string, from: string, to: string): MemoryDisk {
  const text = bytesOf(machine, path).toString();
  if (!text.includes(from)) throw new Error(`no ${from} in ${text}`);
  machine.put(path, summedAnew(text.replace(from, to)));
  return machine;
}

/** A whole frame of a kind stands behind the last one. */
function append(machine: MemoryDisk, path: string, kind: number, number: number, body: Buffer): MemoryDisk {
  const bytes = bytesOf(machine, path);
  const { id } = JSON.parse(bytesOf(machine, names.meta()).toString()) as { id: string };
  let end = 32;
  while (end + 36 <= bytes.length && bytes.readUInt32LE(end) > 0) end += bytes.readUInt32LE(end);
  const frame = Buffer.alloc(36 + body.length);
  body.copy(frame, 36);
  writeBodyFields(frame, 0, frame.length, kind, FLAG_ENDS_BATCH, 0, 0);
  completeHead(frame, 0, placeOf(saltOf(Buffer.from(id, 'hex')), end), number, 1_760_000_100_000, 0);
  const rest = bytes.subarray(end + frame.length);
  machine.put(path, Buffer.concat([bytes.subarray(0, end), frame, rest]));
  return machine;
}

/** The first index of the nth segment there is. */
function segment(machine: MemoryDisk, nth: number): number {
  const firsts = [...machine.snapshot().keys()]
    .map((path) => names.parse(path.slice(DIRECTORY.length + 1)))
    .flatMap((parsed) => (parsed?.kind === 'data' ? [parsed.number] : []))
    .sort((a, b) => a - b);
  return firsts[nth] ?? 0;
}

const data = (machine: MemoryDisk, nth: number): string => names.data(segment(machine, nth));

/**
 * In lock-file mode one falls asleep over a write while another takes the lock over, writes a record and deletes one; then
 * the sleeper writes behind the cut.
 */
async function takenOver(): Promise<MemoryDisk> {
  const machine = new MemoryDisk();
  const options = { locking: 'lockfile' } as const;
  const sleeper = new EngineStore(await engineOn(machine.opener('sleeper'), options));
  for (const index of [1, 2, 3]) await sleeper.write(Buffer.from(`record ${index}`));
  await sleeper.delete(2);
  const other = await engineOn(machine.opener('other'), options);
  other.locks.renounce();
  let isAsleep = false;
  machine.onOperation = ({ opener, kind, path }) => {
    if (isAsleep || opener !== 'sleeper' || kind !== 'write' || !path.endsWith('.dat')) return undefined;
    isAsleep = true;
    takeOver(machine, other);
    return undefined;
  };
  const outcome = await sleeper
    .write(Buffer.from('a sleeper writes this behind the cut'))
    .catch((error) => error);
  machine.onOperation = undefined;
  if ((outcome as { code?: unknown }).code !== 'LOCK_LOST') throw new Error(`told ${String(outcome)}`);
  const store = new EngineStore(other);
  await store.write(Buffer.from('record 5, of the epoch after'));
  await store.delete(1);
  await sleeper.close();
  await store.close();
  return machine;
}

function takeOver(machine: MemoryDisk, { locks, tenure, appender, journal }: Engine): void {
  machine.opener('time').setModifiedAt(names.lockDirectory(), 1);
  for (const end = performance.now() + 1000; !locks.fate.tryEnter(); )
    if (performance.now() > end) throw new Error('the lock cannot be had');
  if (!locks.write.tryEnter()) throw new Error('one lock, and it cannot be had twice');
  tenure.enter();
  appender.catchUp();
  const batch = new Batch();
  batch.begin();
  batch.add(Buffer.from('record 4, of the epoch after'));
  appender.append(batch, 0, 1, 1_760_000_050_000, false);
  journal.catchUpLocked();
  locks.write.leave();
  locks.fate.leave();
  locks.renounce();
}

/** Claims: an acknowledged one, one given back, one extended, and two under a lease, of a process that was killed. */
async function claims(options: Options = {}): Promise<MemoryDisk> {
  const machine = new MemoryDisk();
  const opener = machine.opener();
  const queue = await queueOn(opener, { ...options, leaseMs: 3_600_000 });
  await queue.enqueueMany([{ order: 1 }, 'two', 3, null, ['five'], 'six']);
  await (await queue.claim())?.ack();
  await (await queue.claim())?.nack();
  await (await queue.claim())?.extend(7_200_000);
  await queue.claimMany(2);
  if (JSON.stringify(await queue.dequeue()) !== '["five"]') throw new Error('another message');
  machine.kill(opener);
  return machine;
}

/** A journal that was succeeded several times. */
async function succeeded(opener: MemoryOpener): Promise<void> {
  const queue = await queueOn(opener, {}, OFTEN);
  for (let at = 1; at <= 30; at++) await queue.enqueue(`message ${at}`);
  for (let at = 1; at <= 12; at++) await queue.dequeue();
  await queue.delete([15, 20, 21]);
  for (const delivery of await queue.claimMany(2)) await delivery.nack();
  await queue.close();
}

async function sparse(): Promise<MemoryDisk> {
  const machine = new MemoryDisk();
  const engine = await engineOn(machine.opener(), { durability: 'written', maxFileSize: 2048 });
  const store = new EngineStore(engine);
  for (let index = 1; index <= 90; index++) await store.write(Buffer.from(`record ${index}`));
  const living = new Set([7, 20, 60, 85, 86, 87, 88, 89, 90]);
  await store.delete(Array.from({ length: 90 }, (_, at) => at + 1).filter((index) => !living.has(index)));
  await engine.sweeper.idle();
  for (let at = 0; at < 5; at++) await engine.compactor.run();
  if (engine.files.generation(1) !== 1) throw new Error('no successor');
  await store.close();
  return machine;
}

/** Each makes the files of a golden directory. */
export const scenes: Readonly<Record<string, () => Promise<Files>>> = {
  synced: async () => filesOf(await closed()),
  'synced-killed': async () => filesOf(await killed()),
  written: async () => filesOf(await closed({ durability: 'written' })),
  'written-killed': async () => filesOf(await killed({ durability: 'written' })),
  empty: async () => {
    const machine = new MemoryDisk();
    await (await engineOn(machine.opener())).close();
    return filesOf(machine);
  },
  consumers: async () => {
    const machine = new MemoryDisk();
    const opener = machine.opener();
    const store = new EngineStore(await engineOn(opener));
    await fill(store);
    const mail = await store.consumer('mail');
    await mail.nextMany(4);
    await mail.commit();
    await (await store.consumer('audit.log', { from: 'next', exclusive: true })).seek(3);
    await store.consumer('gone');
    await store.removeConsumer('gone');
    await mail.commit(6);
    machine.kill(opener);
    return filesOf(machine);
  },
  torn: async () => {
    const machine = new MemoryDisk();
    const opener = machine.opener('dying');
    const store = new EngineStore(await engineOn(opener, { durability: 'written' }));
    await store.writeMany([1, 2, 3].map((index) => Buffer.from(`record ${index}`)));
    machine.onOperation = inject({ torn: 60 }, onOpener('dying'), onKind('write'), onPath(/\.dat$/));
    await store.writeMany([4, 5].map((index) => Buffer.from(`record ${index}`))).catch(() => {});
    machine.onOperation = undefined;
    if (!opener.dead) throw new Error('it lives');
    return filesOf(machine);
  },
  'torn-fact': async () => {
    const machine = new MemoryDisk();
    const opener = machine.opener('dying');
    const store = new EngineStore(await engineOn(opener));
    await fill(store);
    await store.delete(1);
    machine.onOperation = inject({ torn: 40 }, onOpener('dying'), onKind('write'), onPath(/fate/));
    await store.delete(2).catch(() => {});
    machine.onOperation = undefined;
    if (!opener.dead) throw new Error('it lives');
    return filesOf(machine);
  },
  damaged: async () => {
    const machine = await closed();
    flip(machine, data(machine, 0), 'record 2');
    flip(machine, data(machine, 1), 'record 9');
    flip(machine, names.entries(1), 32 + 3 * 32 + 9);
    return filesOf(machine);
  },
  'damaged-fact': async () => {
    const machine = await closed({}, [1, 4, 9]);
    const engine = await engineOn(machine.opener());
    await new EngineStore(engine).delete(10);
    await engine.close();
    flip(machine, names.fateJournal(1), 32 + 36 + 2);
    return filesOf(machine);
  },
  'damaged-header': async () => {
    const machine = await closed();
    flip(machine, data(machine, 1), 17);
    return filesOf(machine);
  },
  'damaged-meta': async () => {
    const machine = await closed();
    const line = bytesOf(machine, names.meta()).toString();
    const id = line.indexOf('"id":"') + 6;
    machine.flip(names.meta(), id + line.slice(id).search(/[0-9]/), 1);
    return filesOf(machine);
  },
  repaired: async () => {
    const machine = await closed();
    flip(machine, data(machine, 0), 'record 2');
    await repairOn(machine.opener(), { directory: DIRECTORY });
    return filesOf(machine);
  },
  suspect: async () => {
    const machine = new MemoryDisk();
    const opener = machine.opener('failing');
    const store = new EngineStore(await engineOn(opener));
    await store.write(Buffer.from('record 1'));
    machine.onOperation = inject({ error: 'EIO' }, onKind('sync'), onPath(/\.dat$/), onIndex(1));
    await store.write(Buffer.from('record 2')).catch(() => {});
    machine.onOperation = undefined;
    machine.kill(opener);
    return filesOf(machine);
  },
  removed: async () => {
    const machine = new MemoryDisk();
    const engine = await engineOn(machine.opener(), { maxFileSize: 360 });
    const store = new EngineStore(engine);
    await fill(store);
    const [one = 0, two = 0, three = 0, four = 0] = engine.tail.segments;
    if (four === 0) throw new Error('too few segments');
    for (let index = one; index < two; index++) await store.delete(index);
    for (let index = three; index < four; index++) await store.delete(index);
    await engine.sweeper.idle();
    await store.close();
    return filesOf(machine);
  },
  pruned: async () => {
    const machine = await closed();
    const store = new EngineStore(await engineOn(machine.opener()));
    await store.prune();
    await store.close();
    return filesOf(machine);
  },
  succession: async () => {
    const machine = new MemoryDisk();
    await succeeded(machine.opener());
    return filesOf(machine);
  },
  'succession-marked': async () => {
    const machine = new MemoryDisk();
    const opener = machine.opener('dying');
    machine.onOperation = inject('die', onOpener('dying'), onKind('unlink'), onPath(/\.fate\.2$/));
    await succeeded(opener).catch(() => {});
    machine.onOperation = undefined;
    if (!opener.dead) throw new Error('it lives');
    return filesOf(machine);
  },
  sparse: async () => filesOf(await sparse()),
  claims: async () => filesOf(await claims()),
  'claims-lockfile': async () => filesOf(await claims({ locking: 'lockfile' })),
  lockfile: async () => filesOf(await closed({ locking: 'lockfile' })),
  'lockfile-takeover': async () => filesOf(await takenOver()),
  none: async () => filesOf(await closed({ locking: 'none' })),
  beside: async () => {
    const machine = await closed();
    const others: readonly [string, string][] = [
      ['notes.txt', 'a note'],
      ['duro.txt', 'a file that no store has'],
      ['duro_1.dat', 'another'],
      ['duro_00000000000000000001.dat.bak', 'a copy'],
      ['duro2.meta', 'of another prefix'],
    ];
    for (const [name, text] of others) machine.put(`${DIRECTORY}/${name}`, Buffer.from(text));
    return filesOf(machine);
  },
  'foreign-meta': async () => {
    const machine = await closed();
    machine.put(names.meta(), Buffer.from('{"name":"another program"}\n'));
    return filesOf(machine);
  },
  'foreign-segment': async () => {
    const machine = await closed();
    machine.put(data(machine, 1), bytesOf(await closed(), data(machine, 1)));
    return filesOf(machine);
  },
  'later-meta': async () => filesOf(line(await closed(), names.meta(), '"version":1', '"version":2')),
  'later-meta-feature': async () =>
    filesOf(line(await closed(), names.meta(), '"features":[]', '"features":["spools"]')),
  'later-data': async () => {
    const machine = await closed();
    return filesOf(header(machine, data(machine, 1), 5, 2));
  },
  'later-data-feature': async () => {
    const machine = await closed();
    return filesOf(header(machine, data(machine, 1), 7, 0x80));
  },
  'jobs-announced': async () => {
    const machine = await closed();
    return filesOf(header(machine, data(machine, 1), 6, 1));
  },
  'streams-announced': async () => {
    const machine = await closed();
    return filesOf(header(machine, data(machine, 1), 6, 2));
  },
  transformed: async () => {
    const machine = new MemoryDisk();
    const write = async (text: string, transforms?: readonly Transform[]): Promise<void> => {
      const store = new EngineStore(await engineOn(machine.opener(), { transforms, maxFileSize: 4096 }));
      await store.write(Buffer.from(text), { headers: { said: text.slice(0, 8) } });
      await store.close();
    };
    const long = 'again and '.repeat(20);
    await write('plain');
    await write(`gzip: ${long}`, [compress({ algorithm: 'gzip' })]);
    await write(`brotli: ${long}`, [compress({ algorithm: 'brotli' })]);
    await write('short', [compress()]);
    await write('secret', [encrypt(goldenKey)]);
    await write(`both: ${long}`, [compress(), encrypt(goldenKey)]);
    await write('plain again');
    return filesOf(machine);
  },
  streamed: async () => {
    const machine = new MemoryDisk();
    const opener = machine.opener();
    const store = new EngineStore(await engineOn(opener));
    await store.writeStream(inHundreds('the first of all, and longer than a file. '.repeat(20)));
    await store.write(Buffer.from('record 2'));
    await store.writeStream(inHundreds('short'), { headers: { kind: 'short' } });
    await store.writeStream(inHundreds('longer than a file, too. '.repeat(40)), { headers: { kind: 'long' } });
    machine.kill(opener);
    return filesOf(machine);
  },
  'transformed-streams': async () => {
    const machine = new MemoryDisk();
    const stream = async (text: string, transforms: readonly Transform[]): Promise<void> => {
      const store = new EngineStore(await engineOn(machine.opener(), { transforms }));
      await store.writeStream(inHundreds(text), { headers: { said: text.slice(0, 8) } });
      await store.close();
    };
    await stream(`gzip: ${LONG}`, [compress({ algorithm: 'gzip' })]);
    await stream(`both: ${LONG}`, [compress(), encrypt(goldenKey)]);
    await stream('short', [encrypt(goldenKey)]);
    await stream(`secret: ${LONG}`, [encrypt(goldenKey)]);
    return filesOf(machine);
  },
  'later-entries': async () => filesOf(header(await closed(), names.entries(1), 5, 2)),
  'later-fate': async () => filesOf(header(await closed(), names.fateJournal(1), 5, 2)),
  'later-sparse': async () => filesOf(header(await sparse(), names.sparseData(1, 1), 5, 2)),
  'later-takeover': async () =>
    filesOf(line(await takenOver(), names.takeover(1), '"version":1', '"version":2')),
  'later-frame': async () => {
    const machine = await closed();
    const last =
      [...machine.snapshot().keys()]
        .filter((path) => path.endsWith('.dat'))
        .sort()
        .at(-1) ?? '';
    return filesOf(append(machine, last, 4, 13, Buffer.from([1])));
  },
  'later-fact': async () =>
    filesOf(append(await closed(), names.fateJournal(1), 16, 2, Buffer.from([10, 1, 2, 3]))),
};

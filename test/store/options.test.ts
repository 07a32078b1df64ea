import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import t from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import { openQueueOn } from '../../src/queue/queue.js';
import { openStore, openStoreOn } from '../../src/store/store.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { bytes } from './records.js';
import { onBothDisks } from './world.js';

const TWO_GIB = 2 ** 31;
/** Every option, and values that are not for it. */
const WRONG: Readonly<Record<string, readonly unknown[]>> = {
  retention: [5, null, { maxAgeMs: 0 }, { maxAgeMs: 1.5 }, { maxBytes: -1 }, { odd: 1 }],
  directory: [undefined, null, '', 1, {}, 'a\0b'],
  filePrefix: [null, 1, '', 'a/b', '../x', '.', '-a', '_a', 'a.b', 'a b', 'ä', 'x'.repeat(101)],
  maxFiles: [null, 0, -1, 1.5, '4', Number.NaN, Number.POSITIVE_INFINITY],
  maxFileSize: [null, 0, -1, 1.5, '4', Number.NaN, Number.POSITIVE_INFINITY, 100, TWO_GIB],
  maxChunk: [null, -1, 1.5, '4', Number.NaN, Number.POSITIVE_INFINITY],
  maxRecordSize: [null, -1, 1.5, '4', Number.NaN, Number.POSITIVE_INFINITY, 64 * 1024 * 1024, TWO_GIB],
  whenFull: [null, 'never', 1, true],
  durability: [null, 'replicated', 'memory', 1],
  syncIntervalMs: [null, 0, -1, 1.5, '4', Number.NaN, Number.POSITIVE_INFINITY, TWO_GIB],
  locking: [null, 'flock', 1, true],
  indexer: [null, true, 1, 'off', { intervalMs: 0 }, { intervalMs: '1' }, { watch: 1 }, { rate: 5 }],
  clock: [null, 1, {}, { now: () => 0 }, { now: () => 0, monotonic: () => 0, setTimer: 1 }],
  signal: [null, 1, {}, { aborted: true }],
  directroy: ['x'],
};
const WRONG_FOR_QUEUES: Readonly<Record<string, readonly unknown[]>> = {
  codec: [
    null,
    'xml',
    'toString',
    1,
    {},
    { name: 'x', encode() {}, decode: 1 },
    { encode() {}, decode() {} },
  ],
  leaseMs: [null, 0, -1, 1.5, '4', Number.NaN, Number.POSITIVE_INFINITY],
  schema: [null, 1, 'string', {}, () => true, { '~standard': {} }, { '~standard': { validate: true } }],
  validateOnRead: [null, 0, 'yes'],
  maxAttempts: [null, 0, -1, 1.5, '5', Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32],
  backoff: [
    null,
    1000,
    {},
    { initialMs: -1 },
    { initialMs: '1' },
    { initialMs: 1, factor: 0 },
    { initialMs: 1, factor: '2' },
    { initialMs: 1, maxMs: -1 },
    { initialMs: 1, jitter: 1 },
    { initialMs: 1, minMs: 1 },
  ],
  deduplication: [null, 1000, {}, { windowMs: -1 }, { windowMs: 1.5 }, { windowMs: 1, ids: 1 }],
  deadLetters: [null, 1, { maxAgeMs: -1 }, { maxCount: '1' }, { maxBytes: 1 }],
};
/** The least and the most of each, and what may be left out of it. */
const RIGHT_FOR_QUEUES: Readonly<Record<string, readonly unknown[]>> = {
  validateOnRead: [true, false],
  maxAttempts: [1, 2 ** 32 - 1],
  backoff: [
    { initialMs: 0 },
    { initialMs: 1, factor: 1, maxMs: 0, jitter: false },
    { initialMs: 1, factor: undefined, maxMs: undefined, jitter: undefined },
  ],
  deduplication: [{ windowMs: 0 }, { windowMs: 86_400_000 }],
  deadLetters: [{}, { maxAgeMs: 0, maxCount: 0 }, { maxAgeMs: undefined, maxCount: undefined }],
};
const NOT_YET = {};

t.test('a wrong option is INVALID_OPTION, which names it, and touches nothing', async (t) => {
  const machine = new MemoryDisk();
  const disk = machine.opener();
  for (const [name, values] of Object.entries({ ...WRONG, ...WRONG_FOR_QUEUES })) {
    for (const value of values) {
      const options = { directory: '/store', [name]: value };
      const error = { code: 'INVALID_OPTION', message: new RegExp(`^${name}[.:]`) };
      await t.rejects(openStoreOn(disk, options), error, `${name}: ${inspect(value)}`);
      await t.rejects(openQueueOn(disk, options), error, `${name}: ${inspect(value)}, of a queue`);
    }
  }
  for (const wrong of [undefined, null, 'directory', 1]) {
    const options = wrong as unknown as { directory: string };
    await t.rejects(openStoreOn(disk, options), { code: 'INVALID_OPTION', message: /^options/ });
    await t.rejects(openQueueOn(disk, options), { code: 'INVALID_OPTION', message: /^options/ });
  }
  t.equal(machine.operations, 0);
});

t.test('what comes with a later version is UNSUPPORTED', async (t) => {
  const disk = new MemoryDisk().opener();
  for (const [name, value] of Object.entries(NOT_YET)) {
    const options = { directory: '/store', [name]: value };
    await t.rejects(openQueueOn(disk, options), { code: 'UNSUPPORTED', message: new RegExp(`^${name} `) });
  }
  for (const [name, value] of Object.entries(NOT_YET)) {
    await t.rejects(openStoreOn(disk, { directory: '/store', [name]: value }), { code: 'UNSUPPORTED' });
  }
  const unused = { retention: { maxBytes: undefined, consumed: false } } as object;
  await (await openStoreOn(disk, { directory: '/store', ...unused })).close();
});

t.test('undefined is as good as left out', async (t) => {
  const disk = new MemoryDisk().opener();
  const names = Object.keys({ ...WRONG, ...WRONG_FOR_QUEUES, ...NOT_YET });
  const options = Object.fromEntries(names.map((name) => [name, undefined]));
  const queue = await openQueueOn(disk, { ...options, directory: '/store', indexer: { watch: undefined } });
  t.equal(await queue.enqueue('x'), 1);
  await queue.close();
});

t.test('options of queues at their limits are right', async (t) => {
  for (const [name, values] of Object.entries(RIGHT_FOR_QUEUES)) {
    for (const value of values) {
      const queue = await openQueueOn(new MemoryDisk().opener(), { directory: '/store', [name]: value });
      t.equal(await queue.enqueue('x'), 1, `${name}: ${inspect(value)}`);
      await queue.close();
    }
  }
});

t.test('the limits themselves are right', async (t) => {
  const disk = new MemoryDisk().opener();
  const most = {
    maxFiles: Number.MAX_SAFE_INTEGER,
    maxChunk: 0,
    maxRecordSize: 0,
    syncIntervalMs: TWO_GIB - 1,
    filePrefix: 'x'.repeat(100),
  };
  for (const options of [{ maxFiles: 1, maxFileSize: 256, syncIntervalMs: 1, filePrefix: '0_-A' }, most]) {
    const store = await openStoreOn(disk, { directory: '/store', ...options });
    t.equal(await store.write(new Uint8Array(0)), 1);
    await store.close();
  }
  const store = await openStoreOn(disk, { directory: '/large', maxFileSize: TWO_GIB - 1 - 200 });
  t.equal(await store.write(bytes('x')), 1);
  await store.close();
});

t.test('the directory and its parents are created', async (t) => {
  const directory = join(await temporaryDirectory(t), 'a', 'b', 'c');
  const store = await openStore({ directory });
  await store.write(bytes('x'));
  await store.close();
  const again = await openStore({ directory });
  t.equal(await again.length(), 1);
  await again.close();
});

t.test('a directory that is a file is an error that names it', async (t) => {
  const directory = join(await temporaryDirectory(t), 'file');
  writeFileSync(directory, 'precious');
  await t.rejects(openStore({ directory }), { code: 'INVALID_OPTION', message: new RegExp(directory) });
  await t.rejects(openStore({ directory: join(directory, 'below') }), { code: 'INVALID_OPTION' });
});

onBothDisks('signal aborts opening, with its reason', async (t, world) => {
  const reason = new Error('enough');
  await t.rejects(world.openStore({ signal: AbortSignal.abort(reason) }), reason);
  t.same(world.files(/./), [], 'and nothing is left');
});

onBothDisks('signal aborts opening only', async (t, world) => {
  const abort = new AbortController();
  const store = await world.openStore({ signal: abort.signal });
  abort.abort();
  t.equal(await store.write(bytes('x')), 1);
});

onBothDisks("another program's meta is UNSUPPORTED_VERSION, and nothing is touched", async (t, world) => {
  const metas = [
    '{"format":"durostore","version":2,"locking":"os","id":"0123456789abcdef"}\n',
    '{"format":"another","version":1,"locking":"os","id":"0123456789abcdef"}\n',
    '# a configuration\n',
    '',
  ];
  const store = await world.openStore();
  await store.write(bytes('x'));
  await store.close();
  const before = new Map(world.files(/./).map((name) => [name, world.bytes(name)]));
  const own = world.bytes('duro.meta');
  for (const meta of metas) {
    world.put('duro.meta', Buffer.from(meta));
    await t.rejects(world.openStore(), { code: 'UNSUPPORTED_VERSION', message: /duro\.meta/ });
    await t.rejects(world.openQueue({ locking: 'none' }), { code: 'UNSUPPORTED_VERSION' });
    t.equal(world.bytes('duro.meta').toString(), meta);
    for (const [name, content] of before)
      if (name !== 'duro.meta') t.ok(content.equals(world.bytes(name)), name);
  }
  world.put('duro.meta', own);
  t.equal(await (await world.openStore()).length(), 1);
});

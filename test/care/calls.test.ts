import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { repairOn } from '../../src/care/repair.js';
import { verifyOn } from '../../src/care/verify.js';
import { MemoryDisk } from '../../src/disk/memory.js';
import { type CareOptions, openStore, repair, type StoreOptions, verify } from '../../src/mod.js';
import { openStoreOn } from '../../src/store/store.js';
import { bytes, range } from '../store/records.js';
import { damagedOnPurpose } from '../support/consistency.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { Craft } from './craft.js';
import {
  DIRECTORY,
  data,
  entries,
  files,
  fill,
  frameAt,
  leave,
  OPTIONS,
  open,
  repaired,
  verified,
} from './store.js';

const calls = [
  ['verify', verify, verifyOn],
  ['repair', repair, repairOn],
] as const;

for (const [name, call, callOn] of calls) {
  t.test(`${name}: arguments`, async (t) => {
    const wrong: readonly [unknown, RegExp][] = [
      [undefined, /options/],
      ['a path', /options/],
      [{}, /directory/],
      [{ directory: '' }, /directory/],
      [{ directory: 'there', filePrefix: '../up' }, /filePrefix/],
      [{ directory: 'there', onProgress: 1 }, /onProgress/],
      [{ directory: 'there', signal: {} }, /signal/],
      [{ directory: 'there', maxFiles: 1 }, /maxFiles/],
      [{ directory: 'there', fast: true }, /fast/],
    ];
    for (const [options, message] of wrong)
      await t.rejects(call(options as CareOptions), { code: 'INVALID_OPTION', message }, String(message));
  });

  t.test(`${name}: where there is no store`, async (t) => {
    const machine = new MemoryDisk();
    await fill(machine);
    const before = files(machine);
    for (const options of [{ directory: '/nowhere' }, { directory: DIRECTORY, filePrefix: 'other' }])
      await t.rejects(callOn(machine.opener(), options), {
        code: 'INVALID_OPTION',
        message: /there is no store/,
      });
    t.same(files(machine), before);
    const directory = await temporaryDirectory(t);
    await t.rejects(call({ directory }), { code: 'INVALID_OPTION' });
    await t.rejects(call({ directory: join(directory, 'nowhere') }), { code: 'INVALID_OPTION' });
  });

  t.test(`${name}: a later version is refused, and nothing is touched`, async (t) => {
    const machine = new MemoryDisk();
    await fill(machine);
    const craft = new Craft(machine);
    const meta = `${DIRECTORY}/duro.meta`;
    craft.put(meta, Buffer.from(craft.bytes(meta).toString().replace('"version":1', '"version":2')));
    const before = files(machine);
    await t.rejects(callOn(machine.opener(), { directory: DIRECTORY }), { code: 'UNSUPPORTED_VERSION' });
    t.same(files(machine), before);
  });

  t.test(`${name}: is aborted, before and in the midst of it, and progress is told`, async (t) => {
    const machine = new MemoryDisk();
    const store = await openStoreOn(machine.opener(), { directory: DIRECTORY, durability: 'written' });
    for (const _ of range(1, 12)) await store.write(Buffer.alloc(1024 * 1024, 7));
    await store.close();
    machine.flip(data(1), 100);
    const before = files(machine);
    const reason = new Error('enough');
    const opener = machine.opener();
    await t.rejects(callOn(opener, { directory: DIRECTORY, signal: AbortSignal.abort(reason) }), reason);
    const abort = new AbortController();
    const seen: [number, number][] = [];
    const ended = callOn(opener, {
      directory: DIRECTORY,
      signal: abort.signal,
      onProgress(done, total) {
        seen.push([done, total]);
        abort.abort(reason);
      },
    });
    t.same(await ended.catch((error: unknown) => error), reason);
    t.equal(seen.length, 1, 'and then no more');
    t.same(files(machine), before, 'nothing was changed');
    seen.length = 0;
    let turns = 0;
    const turning = setInterval(() => {}, 1000);
    const count = (): void => {
      turns += 1;
      if (turns > 0) immediate = setImmediate(count);
    };
    let immediate = setImmediate(count);
    await callOn(machine.opener(), {
      directory: DIRECTORY,
      filePrefix: undefined,
      signal: undefined,
      onProgress: (done, total) => seen.push([done, total]),
    });
    clearImmediate(immediate);
    clearInterval(turning);
    t.ok(turns >= 3, 'others had their turns');
    t.ok(seen.length >= 4, `${seen.length} times`);
    t.same(
      seen.filter(([done, total]) => done > total),
      [],
    );
    const [done, total] = seen.at(-1) ?? [];
    t.equal(done, total, 'the end is told');
  });
}

t.test(
  'verify reads what this user may only read',
  { skip: process.getuid?.() === 0 && 'root may write' },
  async (t) => {
    const directory = await temporaryDirectory(t);
    const store = await openStore({ directory });
    await store.write(bytes('one'));
    await store.close();
    chmodSync(directory, 0o555);
    t.teardown(() => chmodSync(directory, 0o755));
    t.same((await verify({ directory })).findings, []);
  },
);

t.test("on the operating system's disk", async (t) => {
  const directory = await temporaryDirectory(t);
  const options: StoreOptions = { directory, maxFileSize: 1024, locking: 'os' };
  const store = await openStore(options);
  for (const n of range(1, 30)) await store.write(bytes(`this is the payload of number ${n}`));
  await store.delete(range(3, 8));
  t.match(await verify({ directory }), { ok: true, records: 24, findings: [] }, 'while it is open');
  await t.rejects(repair({ directory }), { code: 'LOCK_UNAVAILABLE', message: /Close it everywhere/ });
  await store.close();
  t.match(await repair({ directory }), { ok: true, records: 24, findings: [] });
  damagedOnPurpose(directory);
});

t.test('repair: only where nobody has the store open, and it does not wait for ever', async (t) => {
  const machine = new MemoryDisk();
  const store = await openStoreOn(machine.opener(), OPTIONS);
  await store.write(bytes('one'));
  await t.rejects(repaired(machine), { code: 'LOCK_UNAVAILABLE', message: /Close it everywhere/ });
  t.equal(await store.write(bytes('two')), 2, 'who has it open does not notice');
  await store.close();
  // Somebody who opens it, and has not got further than the doorway.
  const arriving = machine.opener().open(`${DIRECTORY}/duro.arrive.lock`, 'write');
  t.ok(arriving?.tryLock('exclusive'));
  await t.rejects(repaired(machine), { code: 'LOCK_UNAVAILABLE' });
  arriving?.close();
  const abort = new AbortController();
  const again = machine.opener().open(`${DIRECTORY}/duro.arrive.lock`, 'write');
  again?.tryLock('exclusive');
  const waiting = repairOn(machine.opener(), { directory: DIRECTORY, signal: abort.signal });
  abort.abort(new Error('enough'));
  await t.rejects(waiting, { message: 'enough' });
  again?.close();
  t.ok((await repaired(machine)).ok);
});

t.test('repair: a store with a single opener', async (t) => {
  const machine = new MemoryDisk();
  const store = await openStoreOn(machine.opener(), { ...OPTIONS, locking: 'none' });
  await store.write(bytes('one'));
  await t.rejects(repaired(machine), { code: 'LOCK_UNAVAILABLE' });
  await store.close();
  t.ok((await repaired(machine)).ok);
});

t.test('repair: changes nothing where nothing is wrong', async (t) => {
  for (const make of [fill, leave]) {
    const machine = new MemoryDisk();
    await make(machine);
    const before = files(machine);
    const changes = new Set(['write', 'truncate', 'create', 'link', 'unlink', 'makeDirectory']);
    const seen: string[] = [];
    machine.onOperation = ({ kind, path }) => {
      if (changes.has(kind) && !path.endsWith('.lock')) seen.push(`${kind} ${path}`);
      return undefined;
    };
    t.same((await repaired(machine)).findings, []);
    t.same(seen, []);
    t.same(files(machine), before);
    machine.onOperation = undefined;
  }
});

t.test('repair: sets aside what it changes', async (t) => {
  const machine = new MemoryDisk();
  await fill(machine);
  const craft = new Craft(machine);
  machine.flip(data(1), frameAt(3) + 7);
  machine.flip(data(5), 3);
  machine.flip(data(5), frameAt(8) + 60);
  const one = craft.bytes(data(1));
  const five = craft.bytes(data(5));
  const report = await repaired(machine);
  t.same(
    report.findings.filter(({ severity }) => severity !== 'note').map((one) => one.repaired),
    [true, true, true],
    'each is accounted for',
  );
  const aside = `${DIRECTORY}/duro.repair.1`;
  t.same([...machine.snapshot().keys()].filter((path) => path.startsWith(aside)).sort(), [
    `${aside}/duro_00000000000000000001.dat.134`,
    `${aside}/duro_00000000000000000005.dat.0`,
    `${aside}/duro_00000000000000000005.dat.236`,
  ]);
  t.same(craft.bytes(`${aside}/duro_00000000000000000001.dat.134`), one.subarray(frameAt(3), frameAt(4)));
  t.same(craft.bytes(`${aside}/duro_00000000000000000005.dat.0`), five.subarray(0, 32));
  t.same(craft.bytes(`${aside}/duro_00000000000000000005.dat.236`), five.subarray(frameAt(8) + 51));
  const after = await verified(t, machine);
  t.same(
    after.findings.map(({ what, repaired: done }) => [what, done]),
    [
      ['records were lost, and facts say so', true],
      ['bytes that a repair set aside', false],
    ],
  );
  const store = await open(machine);
  t.equal((await store.stats()).lost, 1);
  await store.close();
  machine.flip(entries(1), 40);
  t.ok((await repaired(machine)).ok);
  t.notOk(machine.lookup(`${DIRECTORY}/duro.repair.2`), 'entries are a cache, and not set aside');
});

t.test('repair: without room for the copies nothing is changed', async (t) => {
  const machine = new MemoryDisk();
  await fill(machine);
  machine.flip(data(1), frameAt(3) + 7);
  const before = files(machine);
  machine.capacityBytes = machine.usedBytes;
  await t.rejects(repaired(machine), { code: 'DISK_FULL' });
  t.same(files(machine), before);
  machine.capacityBytes = Number.POSITIVE_INFINITY;
  t.ok((await repaired(machine)).ok);
});

import { readdirSync } from 'node:fs';
import t from 'tap';
import { openStore, repair, verify } from '../../src/mod.js';
import { startProgram } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import type { LargeValueDone, LargeValueOrders } from './large-value-child.js';

const MIB = 1024 * 1024;
/** V8 collects memory outside its heap when there are some 32 MiB to collect, and a bare program has 60. */
const MOST_BESIDE = 70 * MIB;

const spools = (directory: string): string[] =>
  readdirSync(directory).filter((name) => name.includes('.spool.'));

const isSpooled = (message: unknown): message is { spooled: true } =>
  typeof message === 'object' && message !== null && 'spooled' in message;

t.test('a large value goes through little memory, in and out', async (t) => {
  const directory = await temporaryDirectory(t);
  const run = async (orders: LargeValueOrders): Promise<LargeValueDone> => {
    const program = startProgram(t, 'test/processes/large-value-child.js', {
      args: [JSON.stringify(orders)],
    });
    t.equal((await program.ended(60_000)).code, 0, program.stderr);
    return JSON.parse(program.stdout) as LargeValueDone;
  };
  const small = await run({ directory: await temporaryDirectory(t), mebibytes: 1, what: 'write' });
  const written = await run({ directory, mebibytes: 128, what: 'write' });
  const read = await run({ directory, mebibytes: 128, what: 'read' });
  t.equal(read.digest, written.digest);
  for (const { peakBytes } of [written, read])
    t.ok(peakBytes - small.peakBytes < MOST_BESIDE, `${(peakBytes - small.peakBytes) / MIB} MiB more`);
  const report = await verify({ directory });
  t.match(report, { ok: true, records: 1, findings: [] });
});

for (const locking of ['os', 'lockfile'] as const)
  t.test(
    `a writer that is killed in the midst of a stream leaves nothing to be seen: ${locking}`,
    async (t) => {
      const directory = await temporaryDirectory(t);
      const store = await openStore({ directory, locking, maxFileSize: 65_536 });
      await store.write(Buffer.from('one'));
      const program = startProgram(t, 'test/processes/stream-child.js', {
        args: [JSON.stringify({ directory })],
      });
      await program.message(isSpooled);
      t.equal(spools(directory).length, 1);
      t.equal(await store.write(Buffer.from('two')), 2, 'nobody waits for it');
      async function* source(): AsyncGenerator<Uint8Array, void> {
        for (let at = 0; at < 3; at++) yield Buffer.alloc(50_000, at);
      }
      t.equal(await store.writeStream(source()), 3);
      t.equal(spools(directory).length, 1, 'while it lives it is left alone');
      t.match(await verify({ directory }), { ok: true, records: 3 }, 'it is no harm');
      await program.kill();
      t.equal(await store.length(), 3);
      t.equal(await store.writeStream(source()), 4);
      await store.close();
      await (await openStore({ directory })).close();
      if (locking === 'os') t.same(spools(directory), [], 'removed by the next who spools');
      t.match(await repair({ directory }), { ok: true, records: 4 });
      const again = await openStore({ directory });
      t.equal((await again.entry(4))?.size, 150_000);
      await again.close();
    },
  );

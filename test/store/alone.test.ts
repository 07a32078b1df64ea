/** Who is alone in a directory looks at no file that it has just written itself, unless something went wrong with it. */
import t from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import type { Fault, Operation } from '../../src/disk/memory-fault.js';
import { range } from './records.js';
import { memoryWorld } from './world.js';

t.test('own records and facts are not read again to learn of others', async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const queue = await world.openQueue<number>({ locking: 'none', durability: 'written', indexer: false });
  await queue.enqueueMany(range(1, 10));
  t.same(await queue.dequeueMany(2), [1, 2]);
  const calls: string[] = [];
  machine.onOperation = ({ kind, path }) => {
    calls.push(`${kind} ${path.endsWith('.dat') ? 'data' : path.includes('fate') ? 'facts' : 'other'}`);
    return undefined;
  };
  t.equal(await queue.enqueue(11), 11);
  t.same(calls.splice(0), ['write data', 'write other']);
  t.equal(await queue.dequeue(), 3);
  t.equal(calls.filter((call) => call.endsWith('facts')).join(), 'write facts');
  machine.onOperation = undefined;
  t.same(await queue.dequeueMany(9), range(4, 11));
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

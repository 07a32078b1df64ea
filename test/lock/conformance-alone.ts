import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { enterFree, type LockKind, Place } from './kind.js';
import { soon } from './until.js';

/** What every kind of lock owes to a single opener. */
export function conformanceAlone(name: string, kind: LockKind): void {
  t.test(`${name}: one opener`, (t) => {
    t.test('a lock is not re-entrant', async (t) => {
      const { write } = new Place(t, kind).open();
      t.notOk(write.held);
      t.ok(write.tryEnter());
      t.ok(write.held);
      t.notOk(write.tryEnter(), 'neither by trying');
      let entered = false;
      const waiting = write.enter().then(() => {
        entered = true;
      });
      await setImmediate();
      t.notOk(entered, 'nor by waiting');
      write.leave();
      await soon('the waiter is in', waiting);
      t.ok(write.held);
      write.leave();
      t.notOk(write.held);
      t.throws(() => write.leave(), 'leaving twice is a bug');
    });

    t.test('those who wait in a process come in as they came, and nobody passes them', async (t) => {
      const { write } = new Place(t, kind).open();
      t.ok(write.tryEnter());
      const order: number[] = [];
      let passed = 0;
      const waiters = Array.from({ length: 300 }, async (_, number) => {
        await write.enter();
        order.push(number);
        if (number % 100 === 0) await setImmediate();
        write.leave();
        if (write.tryEnter()) {
          passed++;
          write.leave();
        }
      });
      write.leave();
      t.notOk(write.tryEnter());
      await soon('all had their turn', Promise.all(waiters));
      t.strictSame(
        order,
        Array.from({ length: 300 }, (_, number) => number),
      );
      t.ok(passed <= 1, 'only the last one found nobody waiting');
      await enterFree(t, kind, write);
    });

    t.test('an aborted wait leaves no trace', async (t) => {
      const { write } = new Place(t, kind).open();
      t.ok(write.tryEnter());
      const controller = new AbortController();
      const before = write.enter();
      const aborted = write.enter(controller.signal);
      const after = write.enter();
      const reason = new Error('changed my mind');
      controller.abort(reason);
      await t.rejects(aborted, reason);
      await t.rejects(write.enter(controller.signal), reason, 'aborted from the start');
      write.leave();
      await soon('who came before is in', before);
      write.leave();
      await soon('who came after is in', after);
      write.leave();
      await enterFree(t, kind, write);
    });

    t.test('an abort after entering changes nothing', async (t) => {
      const { write } = new Place(t, kind).open();
      const controller = new AbortController();
      await write.enter(controller.signal);
      controller.abort();
      t.ok(write.held);
      t.ok(write.tryEnter() === false);
      write.leave();
    });

    t.test('closing wakes those who wait', async (t) => {
      const locks = new Place(t, kind).open();
      t.ok(locks.fate.tryEnter());
      t.ok(locks.write.tryEnter());
      const waiting = [locks.write.enter(), locks.write.enter(), locks.fate.enter().catch((e) => e)];
      const settled = Promise.allSettled(waiting.slice(0, 2));
      locks.close();
      locks.close();
      for (const wait of await settled) {
        t.equal(wait.status, 'rejected');
        t.match(wait, { reason: { code: 'CLOSED' } });
      }
      t.notOk(locks.write.held);
      t.doesNotThrow(() => locks.write.leave(), 'whoever was inside leaves as if nothing had happened');
      t.notOk(locks.write.tryEnter());
      await t.rejects(locks.write.enter(), { code: 'CLOSED' });
      await t.rejects(locks.arrive(), { code: 'CLOSED' });
      t.throws(() => locks.takeSlot(), { code: 'CLOSED' });
      t.throws(() => locks.slotIsFree(1), { code: 'CLOSED' });
      t.doesNotThrow(() => locks.settle());
    });

    t.test('fate comes before write', async (t) => {
      const { fate, write } = new Place(t, kind).open();
      t.ok(fate.tryEnter());
      t.ok(write.tryEnter());
      write.leave();
      fate.leave();
      await enterFree(t, kind, write);
      t.throws(() => fate.tryEnter(), { message: /order/ });
      await t.rejects(fate.enter(), { message: /order/ });
      write.leave();
      await enterFree(t, kind, fate);
      fate.leave();
    });

    t.test('the shortening lock is tried', async (t) => {
      const { shorten } = new Place(t, kind).open();
      t.ok(shorten.tryEnter());
      t.notOk(shorten.tryEnter());
      shorten.leave();
      t.ok(shorten.tryEnter());
    });

    t.test('the only one is the first', async (t) => {
      const locks = new Place(t, kind).open();
      t.equal(await locks.arrive(), 'first');
      t.doesNotThrow(() => locks.settle());
    });

    if (kind.mode === 'lockfile') {
      t.end();
      return;
    }

    t.test('the only one is in the lowest slot', async (t) => {
      const locks = new Place(t, kind).open();
      t.ok(locks.slotIsFree(1));
      t.equal(locks.takeSlot(), 1);
      t.equal(locks.takeSlot(), 1, 'asked again');
      t.notOk(locks.slotIsFree(1));
      t.ok(locks.slotIsFree(2));
    });

    t.end();
  });
}

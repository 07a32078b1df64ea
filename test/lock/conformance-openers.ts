import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { enterFree, type LockKind, Place } from './kind.js';
import { soon, until } from './until.js';

/** Enough refusals to be past the spinning, in the waits by timer. */
const MANY_TRIES = 300;
/** More than anybody can have in the millisecond that is one's own. */
const MANY_TURNS = 1_000_000;

/** What every kind of lock that several openers share owes to those of one process. */
export function conformanceOpeners(name: string, kind: LockKind): void {
  t.test(`${name}: several openers in one process`, (t) => {
    t.test('exclude each other', async (t) => {
      const place = new Place(t, kind);
      const openers = [place.open(), place.open(), place.open()];
      let inside = 0;
      let turns = 0;
      await soon(
        'all have had their turns',
        Promise.all(
          openers.map(async ({ write }) => {
            for (let turn = 0; turn < 50; turn++) {
              if (!write.tryEnter()) await write.enter();
              if (++inside > 1) t.fail('two are inside');
              await setImmediate();
              turns++;
              inside--;
              write.leave();
            }
          }),
        ),
      );
      t.equal(turns, 150);
    });

    t.test('one that enters again and again lets a waiter in', async (t) => {
      const place = new Place(t, kind);
      const [busy, waiter] = [place.open(), place.open()];
      t.ok(busy.write.tryEnter());
      const entered = waiter.write.enter();
      let turns = 0;
      // All in one tick: the waiter has no way to try. That it stands there must be enough.
      do {
        busy.write.leave();
        turns++;
      } while (turns < MANY_TURNS && busy.write.tryEnter());
      t.ok(turns < MANY_TURNS, 'refused though the lock is free');
      await soon('the waiter is in', entered);
      t.notOk(busy.write.tryEnter());
      waiter.write.leave();
      await enterFree(t, kind, busy.write);
    });

    t.test('a lock that has become free belongs to who waits in this process', async (t) => {
      const place = new Place(t, kind);
      const [holder, mine] = [place.open(), place.open()];
      t.ok(holder.write.tryEnter());
      const entered = mine.write.enter();
      holder.write.leave();
      t.notOk(mine.write.tryEnter());
      t.notOk(mine.write.held);
      await soon('the waiter is in', entered);
      t.ok(mine.write.held);
    });

    t.test('a busy process lets others in although its own queue never ends', async (t) => {
      const place = new Place(t, kind);
      const [busy, other] = [place.open(), place.open()];
      let done = false;
      let turns = 0;
      const worker = async (): Promise<void> => {
        while (!done && turns < MANY_TURNS) {
          await busy.write.enter();
          turns++;
          busy.write.leave();
        }
      };
      const workers = [worker(), worker(), worker()];
      await soon('the other one is in', other.write.enter());
      t.ok(turns < MANY_TURNS);
      done = true;
      other.write.leave();
      await soon('the busy ones end', Promise.all(workers));
    });

    t.test('an aborted wait leaves no trace', async (t) => {
      const place = new Place(t, kind);
      const holder = place.open();
      const { locks, watched } = place.openWatched();
      t.ok(holder.write.tryEnter());
      const controller = new AbortController();
      const wait = locks.write.enter(controller.signal);
      await until('it polls', () => watched.refusals > 3);
      controller.abort();
      await t.rejects(wait, { name: 'AbortError' });
      const { tries } = watched;
      for (let turn = 0; turn < 10; turn++) await setImmediate();
      t.equal(watched.tries, tries, 'polls no more');
      holder.write.leave();
      await enterFree(t, kind, place.open().write);
    });

    t.test('closing frees what is held and what is waited for', async (t) => {
      const place = new Place(t, kind);
      const [holder, waiter, next] = [place.open(), place.open(), place.open()];
      t.ok(holder.write.tryEnter());
      const first = waiter.write.enter();
      const refused = t.rejects(first, { code: 'CLOSED' });
      waiter.close();
      await refused;
      const entered = next.write.enter();
      holder.close();
      await soon('the next one is in', entered);
    });

    if (kind.mode === 'lockfile') {
      t.end();
      return;
    }

    t.test('write and fate are two locks', async (t) => {
      const place = new Place(t, kind);
      const [a, b] = [place.open(), place.open()];
      t.ok(a.fate.tryEnter());
      t.ok(b.write.tryEnter());
      t.notOk(a.write.tryEnter());
      t.ok(a.shorten.tryEnter());
      t.notOk(b.shorten.tryEnter());
      a.shorten.leave();
      t.ok(b.shorten.tryEnter());
    });

    t.test('a waiter that does not move on holds nobody up for ever', async (t) => {
      const place = new Place(t, kind);
      const stopped = place.disk();
      const { write } = place.open();
      const turn = stopped.open(place.names.lock('write.turn'), 'write');
      t.ok(turn?.tryLock('exclusive'));
      for (let time = 0; time < 3; time++) {
        if (!write.tryEnter()) await soon('passed by', write.enter());
        write.leave();
      }
      turn?.close();
    });

    t.test('the first one in keeps the others out until it has settled', async (t) => {
      const place = new Place(t, kind);
      const first = place.open();
      t.equal(await first.arrive(), 'first');
      const second = place.openWatched();
      let arrived: string | undefined;
      const arriving = second.locks.arrive().then((answer) => {
        arrived = answer;
      });
      await until('it has tried often', () => second.watched.refusals > MANY_TRIES);
      t.equal(arrived, undefined);
      first.settle();
      await soon('the second arrives', arriving);
      t.equal(arrived, 'later');
      const third = place.open();
      t.equal(await soon('the third arrives', third.arrive()), 'later');
      third.settle();
      first.settle();
      first.close();
      second.locks.close();
      t.equal(await soon('another arrives', place.open().arrive()), 'later', 'the third is still in');
    });

    t.test('whoever is in alone, after all have gone, is first', async (t) => {
      const place = new Place(t, kind);
      for (let time = 0; time < 3; time++) {
        const locks = place.open();
        t.equal(await locks.arrive(), 'first');
        if (time > 0) locks.settle();
        locks.close();
      }
    });

    t.test('a first one that goes unsettled leaves another first one, whenever it goes', async (t) => {
      for (let steps = 1; steps <= 4; steps++) {
        const place = new Place(t, kind);
        const first = place.open();
        t.equal(await first.arrive(), 'first');
        const { locks, watched } = place.openWatched();
        watched.refused = () => {
          if (watched.refusals === steps) first.close();
        };
        t.equal(await soon('another is first', locks.arrive()), 'first', `gone at refusal ${steps}`);
        locks.close();
      }
    });

    t.test('arriving can be aborted, and ends with CLOSED', async (t) => {
      const place = new Place(t, kind);
      const [first, aborted, closed, next] = [place.open(), place.open(), place.open(), place.open()];
      t.equal(await first.arrive(), 'first');
      const controller = new AbortController();
      const one = t.rejects(aborted.arrive(controller.signal), { name: 'AbortError' });
      const two = t.rejects(closed.arrive(), { code: 'CLOSED' });
      controller.abort();
      closed.close();
      await Promise.all([one, two]);
      first.close();
      t.equal(await soon('the next arrives', next.arrive()), 'first', 'neither of them is in');
    });

    t.test('each takes the lowest free slot', async (t) => {
      const place = new Place(t, kind);
      const [a, b, c, d] = [place.open(), place.open(), place.open(), place.open()];
      t.ok(d.slotIsFree(1), 'never taken');
      t.equal(a.takeSlot(), 1);
      t.equal(b.takeSlot(), 2);
      t.equal(c.takeSlot(), 3);
      t.notOk(a.slotIsFree(1), 'its own');
      t.notOk(a.slotIsFree(2), 'of another');
      t.notOk(d.slotIsFree(1));
      t.notOk(d.slotIsFree(1), 'a probe disturbs nothing');
      b.close();
      t.ok(a.slotIsFree(2), 'freed');
      t.equal(d.takeSlot(), 2);
      t.notOk(a.slotIsFree(2));
      t.equal(c.takeSlot(), 3);
    });

    t.end();
  });
}

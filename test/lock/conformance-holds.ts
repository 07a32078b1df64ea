import t from 'tap';
import type { Hold } from '../../src/lock/holds.js';
import { type LockKind, Place } from './kind.js';
import { RemoteProcess } from './remote.js';
import { until } from './until.js';

/** What every kind owes to who holds named locks for as long as something is open. */
export function conformanceHolds(
  name: string,
  kind: LockKind,
  sharedBy: 'nobody' | 'openers' | 'processes',
): void {
  t.test(`${name}: held by name`, (t) => {
    t.test('one has it until it is released, the same opener too', async (t) => {
      const place = new Place(t, kind);
      const locks = place.open();
      const [a, b] = [place.names.hold('consumer', 'a', 1), place.names.hold('consumer', 'b', 1)];
      t.notOk(locks.isHeld(a), 'never held');
      const hold = locks.tryHold(a);
      t.ok(hold?.isStillHeld());
      t.ok(locks.isHeld(a));
      t.equal(locks.tryHold(a), undefined);
      t.ok(hold?.isStillHeld(), 'whoever tries and looks takes nothing away');
      t.ok(locks.tryHold(b), 'another name');
      hold?.release();
      t.notOk(hold?.isStillHeld());
      t.notOk(locks.isHeld(a));
      const again = locks.tryHold(a);
      hold?.release();
      t.ok(again?.isStillHeld(), 'released twice frees nothing');
      t.ok(locks.isHeld(a));
      t.ok(locks.isHeld(b));
    });

    t.test('those that are held are told by kind, name and number', async (t) => {
      const place = new Place(t, kind);
      const locks = place.open();
      const take = (name: string, number: number): Hold | undefined =>
        locks.tryHold(place.names.hold('consumer', name, number));
      t.strictSame(locks.held('consumer'), new Map());
      take('a', 0);
      take('b', 1);
      take('B', 12);
      const given = take('b', 3);
      take('a.1', 4);
      given?.release();
      const sorted = (found: Map<string, number[]>): unknown =>
        [...found].map(([name, numbers]) => [name, numbers.sort((x, y) => x - y)]).sort();
      t.strictSame(sorted(locks.held('consumer')), [
        ['a', [0]],
        ['a.1', [4]],
        ['b', [1, 12]],
      ]);
      t.strictSame(sorted(locks.held('consumer', 'b')), [['b', [1, 12]]]);
      t.strictSame(sorted(locks.held('consumer', 'c')), []);
    });

    t.test('it keeps nobody from writing and deciding', async (t) => {
      const place = new Place(t, kind);
      const locks = place.open();
      const { tenure } = locks;
      t.ok(locks.tryHold(place.names.hold('consumer', 'a', 0)));
      t.ok(locks.fate.tryEnter());
      t.ok(locks.tryHold(place.names.hold('consumer', 'a', 1)), 'it may be taken inside');
      t.ok(locks.isHeld(place.names.hold('consumer', 'a', 0)));
      locks.fate.leave();
      if (kind.mode !== 'lockfile') t.equal(locks.tenure, tenure);
    });

    t.test('closing gives all back, and then nothing is to be had', async (t) => {
      const place = new Place(t, kind);
      const path = place.names.hold('consumer', 'a', 1);
      const locks = place.open();
      const hold = locks.tryHold(path);
      t.ok(hold);
      locks.close();
      t.notOk(hold?.isStillHeld());
      t.doesNotThrow(() => hold?.release());
      t.throws(() => locks.tryHold(path), { code: 'CLOSED' });
      t.throws(() => locks.isHeld(path), { code: 'CLOSED' });
      const next = place.open();
      t.notOk(next.isHeld(path));
      t.ok(next.tryHold(path));
    });

    if (sharedBy !== 'nobody')
      t.test('one opener has it, and the others see it', async (t) => {
        const place = new Place(t, kind);
        const path = place.names.hold('consumer', 'a', 1);
        const [one, other] = [place.open(), place.open()];
        const hold = one.tryHold(path);
        t.ok(hold);
        for (let time = 0; time < 3; time++) {
          t.ok(other.isHeld(path));
          t.equal(other.tryHold(path), undefined);
          t.ok(hold?.isStillHeld());
        }
        hold?.release();
        t.notOk(other.isHeld(path));
        t.ok(other.tryHold(path));
        t.ok(one.isHeld(path));
      });

    if (sharedBy === 'processes')
      t.test('a process that dies does not have it any more', async (t) => {
        const place = new Place(t, kind);
        const path = place.names.hold('consumer', 'a', 1);
        const locks = place.open();
        const holder = new RemoteProcess(t, place.names.directory, kind.mode);
        t.equal(await holder.do('hold'), true);
        t.ok(locks.isHeld(path));
        t.equal(locks.tryHold(path), undefined);
        await holder.kill();
        if (kind.mode === 'lockfile') {
          t.ok(locks.isHeld(path), 'nobody can tell yet');
          t.equal(locks.tryHold(path), undefined);
          place.disk().setModifiedAt(path, Date.now() - 60_000);
        }
        await until('it is free', () => !locks.isHeld(path));
        t.ok(locks.tryHold(path)?.isStillHeld());
      });

    t.end();
  });
}

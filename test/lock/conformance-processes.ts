import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { openCounter, readCounter } from './counter.js';
import { enterFree, type LockKind, Place } from './kind.js';
import { RemoteProcess, RemoteWorker } from './remote.js';
import { soon, until } from './until.js';

/** Enough refusals to be past the spinning, in the waits by timer. */
const MANY_TRIES = 300;

const ENTRIES = 80_000;

const program = (name: string): string => fileURLToPath(new URL(`./${name}.js`, import.meta.url));

/** What every kind of lock that is shared by processes owes to them. Only where the disk is the system's. */
export function conformanceProcesses(name: string, kind: LockKind): void {
  t.test(`${name}: several processes`, (t) => {
    for (const processes of [2, 4, 8]) {
      t.test(`${processes} processes add to a number, and none is lost`, async (t) => {
        const { directory } = new Place(t, kind).names;
        const children = Array.from({ length: processes }, () => {
          const times = String(ENTRIES / processes);
          return fork(program('counter-child'), [directory, kind.mode, times], { execArgv: [] });
        });
        t.teardown(() => {
          for (const child of children) child.kill('SIGKILL');
        });
        await soon('all are ready', Promise.all(children.map((child) => once(child, 'message'))));
        const added = children.map(async (child) => (await once(child, 'message'))[0] as number[]);
        for (const child of children) child.send('go');
        const lists = await soon('all have added', Promise.all(added));
        t.equal(readCounter(openCounter(directory)), ENTRIES);
        t.ok(lists.every((list) => list.every((number, place) => number > (list[place - 1] ?? 0))));
        const written = lists.flat();
        t.equal(written.length, ENTRIES);
        written.sort((a, b) => a - b);
        t.equal(
          written.findIndex((number, place) => number !== place + 1),
          -1,
          'each number once',
        );
      });
    }

    t.test('one that loops flat out lets another in, every time', async (t) => {
      const place = new Place(t, kind);
      const { directory } = place.names;
      const { write } = place.open();
      const counter = openCounter(directory);
      const child = fork(program('flat-out-child'), [directory, kind.mode], { execArgv: [] });
      t.teardown(() => child.kill('SIGKILL'));
      // A lock made of files is kept for milliseconds at a time, by the one and by the other.
      const times = kind.mode === 'lockfile' ? 50 : 200;
      const most = times * (kind.mode === 'lockfile' ? 2000 : 50);
      let turns = 0;
      for (let time = 0; time < times && turns < most; time++) {
        const before = readCounter(counter);
        await until('the other one is at it', () => readCounter(counter) > before + 2);
        const asked = readCounter(counter);
        await soon('in', write.enter());
        turns += readCounter(counter) - asked;
        write.leave();
      }
      t.ok(turns < most, `the other one had ${turns} turns meanwhile`);
      // While it lives it makes files in the directory, which is about to be removed.
      child.kill('SIGKILL');
      await soon('it is dead', once(child, 'exit'));
    });

    t.test('a waiter keeps its process alive, and nothing does afterwards', async (t) => {
      const place = new Place(t, kind);
      const { write } = place.open();
      t.ok(write.tryEnter());
      const child = spawn(process.execPath, [program('enter-once-child'), place.names.directory, kind.mode]);
      t.teardown(() => child.kill('SIGKILL'));
      child.stderr.pipe(process.stderr);
      let output = '';
      child.stdout.on('data', (chunk) => {
        output += chunk;
      });
      const ended = once(child, 'close');
      await until('it waits', () => output === 'waiting\n' || child.exitCode !== null);
      write.leave();
      t.strictSame(await soon('it has ended', ended), [0, null]);
      t.equal(output, 'waiting\nentered\n');
    });

    t.test('workers exclude each other', async (t) => {
      const place = new Place(t, kind);
      const { write } = place.open();
      const [a, b] = [1, 2].map(() => new RemoteWorker(t, place.names.directory, kind.mode));
      if (a === undefined || b === undefined) throw new Error('no workers');
      await a.do('enter');
      t.equal(await b.do('tryEnter'), false);
      t.notOk(write.tryEnter());
      const entered = b.begin('enter');
      await a.do('leave');
      await soon('the other worker is in', entered);
      t.notOk(write.tryEnter());
      await b.do('leave');
      await enterFree(t, kind, write);
    });

    if (kind.mode === 'lockfile') {
      t.end();
      return;
    }

    t.test('a killed holder frees the lock', async (t) => {
      const place = new Place(t, kind);
      const { write } = place.open();
      const holder = new RemoteProcess(t, place.names.directory, kind.mode);
      await holder.do('enter');
      t.notOk(write.tryEnter());
      const entered = write.enter();
      await holder.kill();
      await soon('in', entered);
      t.ok(write.held);
    });

    t.test('a killed holder frees the lock although a child of it lives on', async (t) => {
      const place = new Place(t, kind);
      const { write } = place.open();
      const holder = new RemoteProcess(t, place.names.directory, kind.mode);
      await holder.do('enter');
      const orphan = (await holder.do('spawn')) as number;
      t.teardown(() => process.kill(orphan, 'SIGKILL'));
      await holder.kill();
      await soon('in', write.enter());
    });

    t.test('a killed waiter is forgotten', async (t) => {
      const place = new Place(t, kind);
      const { write } = place.open();
      t.ok(write.tryEnter());
      const waiter = new RemoteProcess(t, place.names.directory, kind.mode);
      t.equal(await waiter.do('tryEnter'), false);
      waiter.begin('enter');
      const turn = place.disk().open(place.names.lock('write.turn'), 'write');
      await until('it waits', () => turn?.tryLock('exclusive') === false || turn?.unlock() === null);
      await waiter.kill();
      write.leave();
      t.ok(write.tryEnter());
    });

    t.test('nobody gets in while the holder is stopped', async (t) => {
      const place = new Place(t, kind);
      const { locks, watched } = place.openWatched();
      const holder = new RemoteProcess(t, place.names.directory, kind.mode);
      await holder.do('enter');
      await holder.stop();
      let entered = false;
      const entering = locks.write.enter().then(() => {
        entered = true;
      });
      await until('it has tried often', () => watched.refusals > MANY_TRIES);
      t.notOk(entered);
      holder.continue();
      await holder.do('leave');
      await soon('in', entering);
      t.equal(await holder.do('tryEnter'), false);
      locks.write.leave();
      t.equal(await holder.do('tryEnter'), true, 'all goes on');
    });

    t.test('a holder that is killed while stopped frees the lock', async (t) => {
      const place = new Place(t, kind);
      const { write } = place.open();
      const holder = new RemoteProcess(t, place.names.directory, kind.mode);
      await holder.do('enter');
      await holder.stop();
      const entered = write.enter();
      await holder.kill();
      await soon('in', entered);
    });

    t.test('a stopped waiter stops nobody else', async (t) => {
      const place = new Place(t, kind);
      const { write } = place.open();
      t.ok(write.tryEnter());
      const waiter = new RemoteProcess(t, place.names.directory, kind.mode);
      t.equal(await waiter.do('tryEnter'), false);
      const entered = waiter.begin('enter');
      const turn = place.disk().open(place.names.lock('write.turn'), 'write');
      await until('it waits', () => turn?.tryLock('exclusive') === false || turn?.unlock() === null);
      await waiter.stop();
      write.leave();
      for (let time = 0; time < 3; time++) {
        if (!write.tryEnter()) await soon('in', write.enter());
        write.leave();
      }
      waiter.continue();
      await soon('the waiter is in, too', entered);
    });

    t.test('a terminated worker frees the lock', async (t) => {
      const place = new Place(t, kind);
      const { write } = place.open();
      const worker = new RemoteWorker(t, place.names.directory, kind.mode);
      await worker.do('enter');
      t.notOk(write.tryEnter());
      const entered = write.enter();
      await worker.terminate();
      await soon('in', entered);
    });

    t.test('another descriptor of the lock file, opened and closed, frees nothing', async (t) => {
      const place = new Place(t, kind);
      const [holder, other] = [place.open(), place.open()];
      t.ok(holder.write.tryEnter());
      const path = place.names.lock('write');
      closeSync(openSync(path, 'r+'));
      const file = place.disk().open(path, 'write');
      t.notOk(file?.tryLock('exclusive'));
      file?.close();
      t.notOk(other.write.tryEnter());
      const elsewhere = new RemoteProcess(t, place.names.directory, kind.mode);
      t.equal(await elsewhere.do('tryEnter'), false);
    });

    t.test(
      'a first one that dies unsettled leaves another first one; a dead holder leaves its slot',
      async (t) => {
        const place = new Place(t, kind);
        const { locks, watched } = place.openWatched();
        const first = new RemoteProcess(t, place.names.directory, kind.mode);
        t.equal(await first.do('arrive'), 'first');
        t.equal(await first.do('takeSlot'), 1);
        t.notOk(locks.slotIsFree(1));
        t.equal(locks.takeSlot(), 2);
        const arriving = locks.arrive();
        await until('it waits', () => watched.refusals > MANY_TRIES);
        t.notOk(locks.slotIsFree(1));
        await first.kill();
        t.equal(await soon('arrived', arriving), 'first');
        t.ok(locks.slotIsFree(1));
        locks.settle();
        const third = new RemoteProcess(t, place.names.directory, kind.mode);
        t.equal(await third.do('arrive'), 'later');
        t.equal(await third.do('takeSlot'), 1, 'the lowest that is free');
      },
    );

    t.end();
  });
}

import { basename } from 'node:path';
import t from 'tap';
import { FileNames } from '../../src/disk/file-names.js';
import { MemoryDisk } from '../../src/disk/memory.js';
import { type Fault, type Operation, onKind } from '../../src/disk/memory-fault.js';
import { highestFence } from '../../src/epoch/fence.js';
import { LockDirectory } from '../../src/lock/lock-directory.js';

const STALE_MS = 5000;
const LONG_MS = 60_000;
const names = new FileNames('/store', 'duro');

/** A directory with a lock in the hands of nobody, in the hands of `dead`, or left by it as it died half-way. */
class Machine {
  readonly disk = new MemoryDisk();
  readonly #setUp = this.disk.opener('set-up');

  constructor() {
    this.#setUp.makeDirectory('/store');
  }

  opener(name: string): LockDirectory {
    return new LockDirectory(this.disk.opener(name), names, STALE_MS);
  }

  /** Left behind by one who was killed, a while ago. */
  leaveStale(): void {
    const dead = this.disk.opener('dead');
    new LockDirectory(dead, names, STALE_MS).tryTake();
    this.disk.kill(dead);
    this.disk.age(LONG_MS);
  }

  owners(): string[] {
    return this.#setUp.exists(names.lockDirectory()) ? this.#setUp.list(names.lockDirectory()) : [];
  }

  exists(): boolean {
    return this.#setUp.exists(names.lockDirectory());
  }

  fences(): number {
    return highestFence(this.#setUp, names);
  }

  /** What happens on the disk while something runs. */
  watch(run: () => void): string[] {
    const seen: string[] = [];
    this.disk.onOperation = ({ kind, path }) => {
      seen.push(`${kind} ${path.slice('/store/duro.'.length).replace(/owner\..*/, 'owner')}`.trim());
      return undefined;
    };
    run();
    this.disk.onOperation = undefined;
    return seen;
  }

  /** Runs something, and something else just before its n-th operation, told what was before; whether there was one. */
  interrupt(n: number, run: () => void, interruption: (before: string[]) => Fault | undefined): boolean {
    const before: string[] = [];
    let interrupted = false;
    const asked = ({ kind, path }: Operation): Fault | undefined => {
      if (before.length + 1 !== n || interrupted) {
        before.push(`${kind} ${path.includes('owner') ? 'owner' : basename(path)}`);
        return undefined;
      }
      interrupted = true;
      this.disk.onOperation = undefined;
      const fault = interruption(before);
      this.disk.onOperation = asked;
      return fault;
    };
    this.disk.onOperation = asked;
    run();
    this.disk.onOperation = undefined;
    return interrupted;
  }
}

/** Runs what may end with the death of its process. */
function untilDeath(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof Error && error.name === 'ProcessDied')) throw error;
  }
}

t.test('taken by one, and free when it is released', async (t) => {
  const machine = new Machine();
  const [a, b] = [machine.opener('a'), machine.opener('b')];
  t.ok(a.tryTake());
  t.notOk(b.tryTake());
  t.equal(machine.owners().length, 1);
  a.release();
  t.notOk(machine.exists(), 'nothing stays');
  t.ok(b.tryTake());
  t.ok(b.isHeld);
  t.notOk(a.isHeld);
  t.strictSame([a.tenure, b.tenure], [1, 1]);
  b.release();
  t.ok(b.tryTake());
  t.equal(b.tenure, 2);
  t.equal(machine.fences(), 0, 'taking and releasing puts up no fence');
  b.release();
});

t.test('a stale one is taken over behind a fence, and not before it is stale', async (t) => {
  const machine = new Machine();
  const dead = machine.disk.opener('dead');
  new LockDirectory(dead, names, STALE_MS).tryTake();
  machine.disk.kill(dead);
  const next = machine.opener('next');
  t.notOk(next.tryTake(), 'fresh');
  t.equal(machine.fences(), 0);
  machine.disk.age(LONG_MS);
  let taken = false;
  const seen = machine.watch(() => {
    taken = next.tryTake();
  });
  t.ok(taken);
  t.strictSame(seen, [
    'createDirectory directory.lock',
    'modifiedAt directory.lock',
    'list directory.lock',
    'modifiedAt directory.lock',
    'unlink directory.lock/owner',
    'list',
    'create epoch.1',
    'list',
    'removeDirectory directory.lock',
    'createDirectory directory.lock',
    'create directory.lock/owner',
    'list directory.lock',
    'setModifiedAt directory.lock',
    'modifiedAt directory.lock',
  ]);
  next.release();
});

t.test('a release removes nothing of another, wherever the holder slept', async (t) => {
  let n = 1;
  for (let more = true; more; n++) {
    const machine = new Machine();
    const [sleeper, other] = [machine.opener('sleeper'), machine.opener('other')];
    t.ok(sleeper.tryTake());
    more = machine.interrupt(
      n,
      () => sleeper.release(),
      () => {
        machine.disk.age(LONG_MS);
        t.ok(other.tryTake(), `taken over before operation ${n}`);
        return undefined;
      },
    );
    if (more) {
      t.equal(machine.owners().length, 1, 'and still had');
      t.ok(machine.fences() > 0);
      t.notOk(machine.opener('third').tryTake());
    }
    other.release();
    t.notOk(machine.exists());
  }
  t.equal(n, 4, 'a release is two operations');
});

t.test('a release that begins after the lock went removes nothing', async (t) => {
  const machine = new Machine();
  const [sleeper, other] = [machine.opener('sleeper'), machine.opener('other')];
  t.ok(sleeper.tryTake());
  machine.disk.age(LONG_MS);
  t.ok(other.tryTake());
  sleeper.release();
  sleeper.release();
  t.notOk(machine.opener('third').tryTake());
  t.equal(machine.owners().length, 1);
  other.release();
});

const situations = [
  ['a free one', (_: Machine) => {}],
  ['a stale one', (machine: Machine) => machine.leaveStale()],
  [
    'a stale one without an owner',
    (machine: Machine) => {
      machine.disk.opener('maker').createDirectory(names.lockDirectory());
      machine.disk.age(LONG_MS);
    },
  ],
] as const;

for (const [what, prepare] of situations) {
  t.test(`${what}: whoever dies at any operation leaves something that the next one takes`, async (t) => {
    for (const fault of ['die', 'die-after'] as const) {
      let n = 1;
      for (let more = true; more; n++) {
        const machine = new Machine();
        prepare(machine);
        const dying = machine.opener('dying');
        const begin = (): void => {
          dying.tryTake();
          dying.release();
        };
        more = machine.interrupt(
          n,
          () => untilDeath(begin),
          () => fault,
        );
        machine.disk.age(LONG_MS);
        const next = machine.opener('next');
        t.ok(next.tryTake(), `${fault} at operation ${n}`);
        t.equal(machine.owners().length, 1);
        next.release();
        t.notOk(machine.exists());
      }
      t.ok(n > 7, `${n} operations were tried`);
    }
  });

  t.test(`${what}: of those who take it at once one has it, however they are mixed`, async (t) => {
    let mixtures = 0;
    for (let i = 1, more = true; more; i++) {
      for (let j = 1, inner = true; inner; j++) {
        const machine = new Machine();
        prepare(machine);
        const openers = ['a', 'b', 'c'].map((name) => machine.opener(name));
        const [a, b, c] = openers;
        inner = false;
        more = machine.interrupt(
          i,
          () => a?.tryTake(),
          () => {
            inner = machine.interrupt(
              j,
              () => b?.tryTake(),
              () => {
                c?.tryTake();
                return undefined;
              },
            );
            return undefined;
          },
        );
        const holders = openers.filter(({ isHeld }) => isHeld);
        t.ok(holders.length <= 1, `at ${i} and ${j}: ${holders.length} have it`);
        if (holders.length === 1) t.equal(machine.owners().length, 1);
        for (const opener of openers) opener.release();
        machine.disk.age(LONG_MS);
        t.ok(machine.opener('last').tryTake());
        mixtures += 1;
      }
    }
    t.ok(mixtures > 15, `${mixtures} mixtures`);
  });

  t.test(`${what}: who sleeps while taking it has it alone, or is fenced`, async (t) => {
    let fenced = 0;
    for (let n = 1, more = true; more; n++) {
      const machine = new Machine();
      prepare(machine);
      const [sleeper, other] = [machine.opener('sleeper'), machine.opener('other')];
      let fencesWhenTaken = 0;
      let hadLooked = false;
      more = machine.interrupt(
        n,
        () => sleeper.tryTake(),
        (before) => {
          hadLooked = before.join().includes('create owner,list duro.directory.lock');
          machine.disk.age(LONG_MS);
          t.ok(other.tryTake());
          fencesWhenTaken = machine.fences();
          return undefined;
        },
      );
      if (!more) continue;
      t.equal(sleeper.isHeld, hadLooked, `who slept before operation ${n} believes what it saw before`);
      if (sleeper.isHeld) {
        fenced += 1;
        t.ok(fencesWhenTaken > 0, `asleep before operation ${n}`);
      }
      sleeper.release();
      t.notOk(machine.opener('third').tryTake(), 'the other one still has it');
      other.release();
      t.notOk(machine.exists());
    }
    t.ok(fenced > 0, 'some believe that they have it');
  });
}

t.test('what fails while it is taken leaves nothing behind', async (t) => {
  for (const kind of ['create', 'list', 'setModifiedAt', 'modifiedAt'] as const) {
    const machine = new Machine();
    const [a, b] = [machine.opener('a'), machine.opener('b')];
    const fails = onKind(kind);
    machine.disk.onOperation = (operation) => (fails(operation) ? { error: 'EIO' } : undefined);
    t.throws(() => a.tryTake(), { code: 'LOCK_UNAVAILABLE', cause: { code: 'EIO' } }, kind);
    machine.disk.onOperation = undefined;
    t.notOk(a.isHeld);
    t.notOk(machine.exists());
    t.ok(b.tryTake());
    b.release();
  }
});

t.test('a release that fails is no error', async (t) => {
  const machine = new Machine();
  const [a, b] = [machine.opener('a'), machine.opener('b')];
  t.ok(a.tryTake());
  machine.disk.onOperation = () => ({ error: 'EIO' });
  a.release();
  machine.disk.onOperation = undefined;
  t.notOk(a.isHeld);
  t.notOk(b.tryTake());
  machine.disk.age(LONG_MS);
  t.ok(b.tryTake(), 'it is stale before long');
  b.release();
});

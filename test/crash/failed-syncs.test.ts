import t from 'tap';
import type { MemoryDisk } from '../../src/disk/memory.js';
import type { Fault, Operation } from '../../src/disk/memory-fault.js';
import { DurostoreError } from '../../src/mod.js';
import { random } from '../support/random.js';
import { Actor, machineFor, nextTurn, type Options, SHORT_JOURNALS, tickingClock } from './actor.js';
import { cutsAt, Findings, MOST_OPERATIONS } from './explore.js';
import { History } from './history.js';
import { judge } from './judge.js';

/** What two processes do in turn. Who is told that its store has failed opens it again. */
type Step = (a: Actor, b: Actor) => Promise<void>;

const steps: readonly Step[] = [
  (a) => a.write(),
  (_, b) => b.writeMany([30, 30, 30]),
  (a) => a.dequeue(),
  (_, b) => b.write(60),
  (_, b) => b.dequeue(),
  (a) => a.writeMany([60, 60]),
  (a) => a.delete(0),
  (_, b) => b.write(70),
  (a) => a.dequeueMany(2),
  (_, b) => b.sync(),
  (_, b) => b.write(20),
];

interface Outcome {
  /** The sync that failed. */
  readonly struck: Operation | undefined;
  /** Whether the power was cut, at the operation asked for. */
  readonly isCut: boolean;
  readonly machine: MemoryDisk;
  readonly history: History;
  readonly problems: readonly string[];
}

const isSync = ({ kind }: Operation): boolean => kind === 'sync' || kind === 'syncDirectory';

/** Runs the steps; the `nth` sync fails, and everybody dies at so many operations after it. */
async function run(options: Options, nth: number, fault: Fault, cutAfter: number): Promise<Outcome> {
  const machine = machineFor(options);
  const history = new History();
  const problems: string[] = [];
  const disks = [machine.opener('a'), machine.opener('b')] as const;
  const actors = [new Actor(disks[0], history, options), new Actor(disks[1], history, options)] as const;
  let syncs = 0;
  let struck: Operation | undefined;
  let isCut = false;
  const isDead = (): boolean => disks.some((disk) => disk.dead);
  const call = async (actor: Actor, what: (actor: Actor) => Promise<void>): Promise<void> => {
    if (isDead()) return;
    try {
      if (!actor.isOpen) await actor.open();
      await what(actor);
    } catch (error) {
      if (isDead()) return;
      if (!(error instanceof DurostoreError) || error.code !== 'STORE_FAILED' || struck === undefined)
        problems.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
      await actor.close().catch(() => {});
    }
  };
  for (const actor of actors) await call(actor, async () => {});
  machine.onOperation = (operation) => {
    if (operation.n > MOST_OPERATIONS) throw new Error('this does not end');
    if (struck === undefined) {
      if (isSync(operation)) syncs += 1;
      if (syncs < nth) return undefined;
      struck = operation;
      return fault;
    }
    if (operation.n !== struck.n + cutAfter) return undefined;
    isCut = true;
    for (const disk of disks) if (disk.name !== operation.opener) machine.kill(disk);
    return 'die';
  };
  for (const step of steps) {
    for (const actor of actors) await call(actor, async () => {});
    let acting: Actor | undefined;
    const named = actors.map(
      (actor) =>
        new Proxy(actor, {
          get: (target, name) => {
            acting = target;
            const value: unknown = Reflect.get(target, name, target);
            return typeof value === 'function' ? value.bind(target) : value;
          },
        }),
    );
    const [a, b] = named;
    if (a === undefined || b === undefined || isDead()) break;
    await call(actors[0], () =>
      step(a, b).catch(async (error: unknown) => {
        if (acting === actors[0]) throw error;
        await call(actors[1], () => Promise.reject(error));
      }),
    );
  }
  while (!isDead() && machine.syncs.count > 0) await nextTurn();
  machine.onOperation = undefined;
  for (const disk of disks) if (!disk.dead) machine.kill(disk);
  return { struck, isCut, machine, history, problems };
}

const variants: readonly (readonly [string, Options])[] = [
  ['records and facts', { maxFileSize: 512 }],
  ['journals that are succeeded', { maxFileSize: 512, limits: SHORT_JOURNALS }],
];

for (const [name, options] of variants) {
  t.test(`each sync fails, and the power goes at operations behind it: ${name}`, async (t) => {
    const numbers = random(t);
    const findings = new Findings(t);
    for (let nth = 1; ; nth++) {
      let more = false;
      for (let after = 1; ; after += numbers.integer(1, 6)) {
        const fault: Fault = numbers.chance(0.5) ? { error: 'EIO' } : { error: 'EIO', reached: 'some' };
        const ticking = { ...options, clock: tickingClock() };
        const { struck, isCut, machine, history, problems } = await run(ticking, nth, fault, after);
        // Healing writes synced bytes again where they stand; a device that garbles those has broken its word.
        const cut = { ...numbers.pick(cutsAt(after)), garble: false, seed: numbers.integer(0, 2 ** 31) };
        const where = JSON.stringify({ nth, fault, after, path: struck?.path, cut });
        findings.add(where, problems);
        machine.powerCut(cut);
        findings.add(`${where}; cut`, await judge(machine, history, options, 'cut'));
        more = struck !== undefined;
        if (!isCut) break;
      }
      if (!more) break;
    }
    findings.end(name);
  });
}

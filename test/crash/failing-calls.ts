import type { MemoryDisk } from '../../src/disk/memory.js';
import type { Fault, Operation } from '../../src/disk/memory-fault.js';
import { DurostoreError } from '../../src/mod.js';
import type { Random } from '../support/random.js';
import { Actor, DIRECTORY, isOfLockDirectory, machineFor, nextTurn } from './actor.js';
import { type Findings, MOST_OPERATIONS } from './explore.js';
import { History } from './history.js';
import { Judge } from './judge.js';
import { keptBy, type Program } from './programs.js';

/** One fault for each operation, by chance: a run of a program is dear. `FAULTS=each` tries all that the operation can have. */
const EACH = process.env['FAULTS'] === 'each';

/** After so long somebody opens again what did not open. */
const LATER_MS = 60_000;

/** What a caller may be told of a disk that fails. */
const ALLOWED: readonly string[] = ['STORE_FAILED', 'DISK_FULL', 'LOCK_UNAVAILABLE'];
const CHANGES: readonly string[] = [
  'write',
  'writeMany',
  'dequeue',
  'dequeueMany',
  'delete',
  'deleteFirst',
  'transaction',
];

/**
 * A process whose calls may fail: it writes down how, tries what failed for lack of space again, opens again what did not
 * open, and goes on with its program.
 */
class Persistent {
  readonly problems: string[] = [];
  readonly codes = new Set<string>();
  readonly actor: Actor;
  /** Whether the store has to refuse every change. */
  #failed = false;
  readonly #machine: MemoryDisk;
  readonly #struck: () => Struck | undefined;

  constructor(machine: MemoryDisk, actor: Actor, struck: () => Struck | undefined) {
    this.#machine = machine;
    this.#struck = struck;
    this.actor = new Proxy(actor, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) =>
          this.#call(String(name), () => Promise.resolve(Reflect.apply(value, target, args)));
      },
    });
  }

  async #call(name: string, call: () => Promise<unknown>, isSecond = false): Promise<void> {
    const failedBefore = this.#failed;
    try {
      await call();
      if (name === 'open') this.#failed = false;
      else if (failedBefore && CHANGES.includes(name))
        this.problems.push(`${name} succeeds in a failed store`);
    } catch (error) {
      if (!(error instanceof DurostoreError) || !ALLOWED.includes(error.code)) {
        if (name !== 'open' && !this.actor.isOpen && String(error).includes('not open')) return;
        this.problems.push(`${name}: ${error instanceof Error ? error.stack : error}`);
        return;
      }
      this.codes.add(error.code);
      if (failedBefore && error.code !== 'STORE_FAILED')
        this.problems.push(`${name}: failed, then ${error.code}`);
      if (error.code === 'STORE_FAILED' && this.#lackedRoom())
        this.problems.push(`${name}: a store does not fail for lack of room`);
      if (error.code === 'STORE_FAILED' && this.#isGrave()) this.#failed = true;
      if (this.#failed || name === 'close') return;
      if (isSecond) this.problems.push(`${name} fails again: ${error.message}`);
      else if (error.code === 'DISK_FULL' || name === 'open') {
        // A lock directory that an opening could not remove is stale by then.
        if (name === 'open') this.#machine.age(LATER_MS);
        await this.#call(name, call, true);
      }
    }
  }

  #lackedRoom(): boolean {
    const struck = this.#struck();
    if (struck === undefined || struck.operation.kind === 'sync') return false;
    const { fault } = struck;
    return typeof fault === 'object' && 'error' in fault && /ENOSPC|EDQUOT/.test(fault.error);
  }

  /** A write, a cut or a sync of what counts failed in another way than for lack of space. */
  #isGrave(): boolean {
    const struck = this.#struck();
    return (
      struck !== undefined && ['write', 'truncate', 'sync', 'syncDirectory'].includes(struck.operation.kind)
    );
  }
}

interface Struck {
  readonly operation: Operation;
  readonly fault: Fault;
  /** Of how many faults that the operation can have this is one. */
  readonly of: number;
}

/**
 * The operation `n` fails, with one of the faults that it can have. Only operations outside the lock directory are counted:
 * how often that is tried depends on the time, and where it cannot be removed it is stale for seconds.
 */
async function run(program: Program, n: number, choose: (faults: readonly Fault[]) => Fault | undefined) {
  const machine = machineFor(program.options);
  const history = new History(keptBy(program.options));
  let struck: Struck | undefined;
  let count = 0;
  machine.onOperation = (operation) => {
    if (operation.n > MOST_OPERATIONS) throw new Error('this does not end');
    if (struck !== undefined || isOfLockDirectory(operation)) return undefined;
    count += 1;
    if (count < n) return undefined;
    const faults = faultsOf(operation, n);
    const fault = choose(faults) ?? { error: 'EIO' };
    struck = { operation, fault, of: faults.length };
    return fault;
  };
  const disk = machine.opener('worker');
  const persistent = new Persistent(machine, new Actor(disk, history, program.options), () => struck);
  await program.run(persistent.actor);
  // A process that dies just when its sync fails tells nobody, and so it is with every store.
  while (machine.syncs.count > 0) await nextTurn();
  await nextTurn();
  machine.onOperation = undefined;
  machine.kill(disk);
  return { machine, history, struck, problems: persistent.problems, codes: persistent.codes };
}

/** Calls that make a descriptor, or would. */
const OPENING: readonly Operation['kind'][] = ['open', 'create', 'list', 'syncDirectory'];
/** Calls that need a right to the file or its directory. */
const PERMITTED: readonly Operation['kind'][] = [...OPENING, 'makeDirectory', 'link', 'unlink'];

/** Which failures an operation can have; where several are alike, they take turns. */
function faultsOf({ kind, path }: Operation, n: number): Fault[] {
  const faults: Fault[] = [{ error: 'EIO' }];
  const isOdd = n % 2 === 1;
  if (['write', 'create', 'link', 'sync', 'makeDirectory'].includes(kind))
    faults.push({ error: isOdd && kind !== 'sync' ? 'EDQUOT' : 'ENOSPC' });
  // Directories above the store that may not be read are not synced, and nobody is told.
  const isAbove = kind === 'syncDirectory' && path !== DIRECTORY;
  if (OPENING.includes(kind) && (isOdd || isAbove)) faults.push({ error: 'EMFILE' });
  else if (PERMITTED.includes(kind)) faults.push({ error: 'EACCES' });
  if (kind === 'write')
    faults.push(...(isOdd ? [{ short: 0 }, { short: 50 }] : [{ short: 1 }, { short: 35 }]));
  if (kind === 'sync') faults.push({ error: 'EIO', reached: 'some' });
  return faults;
}

/** Each call of a program fails once; returns the codes that its callers were told. */
export async function failEachCall(
  program: Program,
  numbers: Random,
  findings: Findings,
): Promise<ReadonlySet<string>> {
  const judge = new Judge(program.options);
  const codes = new Set<string>();
  let n = 0;
  for (let more = true; more; ) {
    n += 1;
    let of = 1;
    for (let which = 0; which < of; which++) {
      const { machine, history, struck, ...outcome } = await run(program, n, (faults) =>
        EACH ? faults[which] : numbers.pick(faults),
      );
      more = struck !== undefined;
      if (which === 0 && EACH) of = struck?.of ?? 1;
      const { kind = 'the end', path = '' } = struck?.operation ?? {};
      const where = `${JSON.stringify(struck?.fault)} at ${n}, ${kind} ${path}`;
      for (const code of outcome.codes) codes.add(code);
      findings.add(where, outcome.problems);
      findings.add(`${where}; opened again`, await judge.judge(machine, history, 'death'));
    }
  }
  return codes;
}

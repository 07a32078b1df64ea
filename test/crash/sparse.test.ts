import t, { type Test } from 'tap';
import type { Disk } from '../../src/disk/disk.js';
import { FileNames } from '../../src/disk/file-names.js';
import { MemoryDisk } from '../../src/disk/memory.js';
import type { Fault, Operation } from '../../src/disk/memory-fault.js';
import { Engine } from '../../src/store/engine.js';
import { resolveStoreOptions } from '../../src/store/options.js';
import { EngineStore } from '../../src/store/store.js';
import { checkDirectoryOn } from '../support/consistency.js';
import { random } from '../support/random.js';
import { nextTurn, stillClock } from './actor.js';
import { cutsAt, Findings } from './explore.js';

const DIRECTORY = '/q';
const RECORDS = 450;
/** One in the first segment, one in the second, and all of the last. */
const LIVING = [100, 330, ...Array.from({ length: 12 }, (_, at) => RECORDS - 11 + at)];
const BY_HAND = { leastBytes: 0, everyMs: 1000, retryMs: 0 };
const options = resolveStoreOptions(
  { directory: DIRECTORY, maxFileSize: 8192, indexer: false, clock: stillClock },
  new Set(),
);

const payload = (index: number): Uint8Array => Uint8Array.of(index % 251);
const open = (disk: Disk): Promise<Engine> => Engine.open(disk, options, undefined, BY_HAND);

async function drain(engine: Engine): Promise<void> {
  // Each makes one, and the touched ones come one after the other.
  for (let at = 0; at < 5; at++) await engine.compactor.run();
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, at) => from + at);

/** A store of which two segments are about to become sparse, one of them for the second time; nobody is in it. */
async function prepared(): Promise<MemoryDisk> {
  const machine = new MemoryDisk();
  const engine = await open(machine.opener('preparer'));
  const store = new EngineStore(engine);
  for (let index = 1; index <= RECORDS; index += 5)
    await store.writeMany(range(index, index + 5).map(payload));
  const [, second = 0] = engine.tail.segments;
  await store.delete(range(1, second).filter((index) => index < 100 || index >= 112));
  await drain(engine);
  if (engine.files.generation(1) !== 1) throw new Error('no first generation');
  await store.delete(range(1, RECORDS + 1).filter((index) => !LIVING.includes(index)));
  await engine.sweeper.idle();
  await engine.close();
  return machine;
}

async function misread(engine: Engine): Promise<string[]> {
  const store = new EngineStore(engine);
  const wrong: string[] = [];
  const seen: number[] = [];
  for await (const { index, data } of store.entries()) {
    seen.push(index);
    if (Buffer.compare(data, payload(index)) !== 0) wrong.push(`${index} is another`);
  }
  if (seen.join() !== LIVING.join()) wrong.push(`${seen.join()} instead of ${LIVING.join()}`);
  const { lost, length } = await store.stats();
  if (lost > 0 || length !== LIVING.length) wrong.push(`${lost} lost, ${length} there`);
  return wrong;
}

/** Opens the directory alone, reads, writes, closes; then what is left of successions is gone. */
async function judge(machine: MemoryDisk): Promise<string[]> {
  try {
    const engine = await open(machine.opener('survivor'));
    const wrong = await misread(engine);
    const sparse = new Set<number>();
    const dense: number[] = [];
    for (const name of engine.disk.list(DIRECTORY)) {
      const parsed = engine.names.parse(name);
      if (parsed?.kind === 'temporary') wrong.push(`${name} was left`);
      if (parsed?.kind === 'sparse-data' && sparse.size === sparse.add(parsed.number).size)
        wrong.push(`${name} beside another generation`);
      if (parsed?.kind === 'data') dense.push(parsed.number);
    }
    for (const first of dense) if (sparse.has(first)) wrong.push(`${first} is dense and sparse`);
    await engine.compactor.run();
    await engine.compactor.run();
    wrong.push(...(await misread(engine)));
    const index = await new EngineStore(engine).write(payload(RECORDS + 1));
    if (index !== RECORDS + 1) wrong.push(`the next one is ${index}`);
    await new EngineStore(engine).delete(index);
    await engine.close();
    wrong.push(...checkDirectoryOn(machine.opener('checker'), DIRECTORY, { staleEntries: true }));
    return wrong;
  } catch (error) {
    return [error instanceof Error ? (error.stack ?? error.message) : String(error)];
  }
}

interface Outcome {
  readonly machine: MemoryDisk;
  readonly struck: Operation | undefined;
  /** What somebody else reads who had it open before. */
  readonly wrong: readonly string[];
}

/** Makes successors; the n-th operation of that has a fault. */
async function run(base: MemoryDisk, n: number, fault: Fault, isEvicted: boolean): Promise<Outcome> {
  const machine = base.fork(1);
  const late = await open(machine.opener('late'));
  const wrong = await misread(late);
  const maker = machine.opener('maker');
  const engine = await open(maker);
  await engine.indexer.look();
  const before = machine.operations;
  let struck: Operation | undefined;
  machine.onOperation = (operation) => {
    if (operation.opener !== 'maker' || operation.n < before + n || struck !== undefined) return undefined;
    struck = operation;
    return fault;
  };
  let isDone = false;
  void drain(engine).finally(() => {
    isDone = true;
  });
  while (!isDone && !maker.dead) await nextTurn();
  machine.onOperation = undefined;
  if (isEvicted) late.files.descriptors.forgetAll();
  try {
    wrong.push(...(await misread(late)));
    if (!maker.dead) wrong.push(...(await misread(engine)));
  } catch (error) {
    wrong.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  return { machine, struck, wrong };
}

/** The generations of what there is, by first index. */
const sparseFiles = (machine: MemoryDisk): number[] =>
  [...machine.snapshot().keys()]
    .sort()
    .map((path) => new FileNames(DIRECTORY, 'duro').parse(path.slice(DIRECTORY.length + 1)))
    .flatMap((parsed) => (parsed?.kind === 'sparse-data' ? [parsed.generation] : []));

/** The files, and none of the processes. */
const killAll = (machine: MemoryDisk): MemoryDisk => machine.fork(1);

t.test('death and power cuts at each operation of making one', async (t: Test) => {
  const numbers = random(t);
  const findings = new Findings(t);
  const base = await prepared();
  for (let n = 1; ; n++) {
    const faults: Fault[] = ['die'];
    let more = false;
    for (const fault of faults) {
      const { machine, struck, wrong } = await run(base, n, fault, n % 2 === 0);
      more = struck !== undefined;
      if (!more) t.same(sparseFiles(machine), [2, 1], 'a second generation and a first one');
      if (struck?.kind === 'write' && fault === 'die') faults.push({ torn: numbers.integer(1, 80) });
      const where = `${JSON.stringify(fault)} at ${n}, ${struck?.kind ?? 'the end'} ${struck?.path ?? ''}`;
      findings.add(`${where}; a reader that lags`, wrong);
      findings.add(`${where}; death`, await judge(killAll(machine)));
      for (const cut of cutsAt(n)) {
        const fork = killAll(machine);
        const seed = numbers.integer(0, 2 ** 31);
        fork.powerCut({ ...cut, seed });
        findings.add(`${where}; ${JSON.stringify({ ...cut, seed })}`, await judge(fork));
      }
    }
    if (!more) {
      t.ok(n > 50, `${n - 1} operations`);
      break;
    }
  }
  findings.end('sparse successors');
});

t.test('each call of making one fails', async (t: Test) => {
  const findings = new Findings(t);
  const base = await prepared();
  const faults: Fault[] = [{ error: 'EIO' }, { error: 'ENOSPC' }, { error: 'EMFILE' }, { short: 1 }];
  for (let n = 1; ; n++) {
    let more = false;
    for (const fault of faults) {
      const { machine, struck, wrong } = await run(base, n, fault, false);
      more = struck !== undefined;
      if (typeof fault === 'object' && 'short' in fault && struck?.kind !== 'write') continue;
      const where = `${JSON.stringify(fault)} at ${n}, ${struck?.kind ?? 'the end'} ${struck?.path ?? ''}`;
      findings.add(where, wrong);
      const fork = killAll(machine);
      findings.add(`${where}; opened again`, await judge(fork));
    }
    if (!more) break;
  }
  findings.end('failing calls');
});

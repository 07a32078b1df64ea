/**
 * An opener that does what it is told, as a process or as a worker: `remote-child.js <directory> <mode>`. Answers
 * each request `{ id, call }` with `{ id, answer }`.
 */
import { spawn } from 'node:child_process';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { FileNames } from '../../src/disk/file-names.js';
import { osDisk } from '../../src/disk/os.js';
import { type LockMode, openLocks } from '../../src/lock/locks.js';

const [directory, mode] = (isMainThread ? process.argv.slice(2) : workerData) as [string, LockMode];
const names = new FileNames(directory, 'duro');
const locks = openLocks(osDisk, names, mode);

const calls = {
  enter: () => locks.write.enter(),
  tryEnter: () => locks.write.tryEnter(),
  leave: () => locks.write.leave(),
  arrive: () => locks.arrive(),
  settle: () => locks.settle(),
  takeSlot: () => locks.takeSlot(),
  hold: () => locks.tryHold(names.hold('consumer', 'a', 1)) !== undefined,
  close: () => locks.close(),
  /** A child that outlives this process; its id. */
  spawn: () =>
    spawn(process.execPath, ['-e', 'setTimeout(() => {}, 120_000)'], { stdio: 'ignore', detached: true }).pid,
};
export type Call = keyof typeof calls;

const obey = async (request: { id: number; call: Call }): Promise<void> => {
  const reply = { id: request.id, answer: await calls[request.call]() };
  if (isMainThread) process.send?.(reply);
  else parentPort?.postMessage(reply);
};
process.on('disconnect', () => process.exit());
if (isMainThread) process.on('message', obey);
else parentPort?.on('message', obey);

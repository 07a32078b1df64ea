import type { Contestant, Readings, Role } from './cell.js';
import type { Durability, Opened, Subject } from './subject.js';

/** What a cell does with a subject: `fill` comes before the time is taken. */
export interface Work {
  readonly as?: 'log';
  readonly durability?: Durability;
  fill?(opened: Opened, records: number): Promise<void>;
  /** Whether the subject is closed and opened again between the two. */
  readonly reopened?: boolean;
  /** Resolves with how many records it was done on. */
  run(opened: Opened, records: number): Promise<number>;
}

/** A subject that does some work, timed: microseconds a record, and of CPU where nobody else works for it. */
export function timed(subject: Subject, role: Role, work: Work): Contestant {
  const turn = async (directory: string, records: number): Promise<Readings> => {
    const place = {
      directory,
      durability: work.durability ?? 'written',
      as: work.as ?? 'queue',
    } as const;
    const served = await subject.serve?.(place);
    try {
      let opened = await subject.open(place);
      try {
        await work.fill?.(opened, records);
        if (work.reopened === true) {
          await opened.close();
          opened = await subject.open(place);
        }
        return await clocked(() => work.run(opened, records), subject.inProcess);
      } finally {
        await opened.close();
      }
    } finally {
      await served?.stop();
    }
  };
  return { name: subject.name, role, turn };
}

/** Runs what resolves with a number of records; `each` is microseconds a record. */
export async function clocked(run: () => Promise<number>, inProcess: boolean): Promise<Readings> {
  // What others left young is not to be collected in this one's time. A whole collection would also throw away compiled
  // code, and measure how that is made again.
  globalThis.gc?.({ type: 'minor' });
  const used = process.cpuUsage();
  const begin = process.hrtime.bigint();
  const records = await run();
  const each = Number(process.hrtime.bigint() - begin) / 1000 / records;
  const { user, system } = process.cpuUsage(used);
  return inProcess ? { each, cpu: (user + system) / records } : { each };
}

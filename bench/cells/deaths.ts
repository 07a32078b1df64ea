import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { Cell, Contestant, Readings } from '../cell.js';
import type { Child } from '../child.js';
import { percentile } from '../statistics.js';
import { OURS } from './contestants.js';

const KILLS = 20;

/** What a process that was killed leaves to others. */
export interface Death {
  /** Starts the process that will be killed. */
  start(directory: string): Child;
  /** Milliseconds from SIGKILL until another process goes on where it was. */
  survive(directory: string): Promise<number>;
}

export interface Deaths extends Pick<Cell, 'id' | 'name' | 'group' | 'records'> {
  /** What else is to be said of them, behind how many there are. */
  readonly terms: string;
  /** 99 of 100 are survived within so long. */
  readonly atMostMs: number;
}

/** A cell of such deaths: what becomes of them, and how long the system takes to tell of one, which nobody can be faster than. */
export function deathCell({ start, survive }: Death, { terms, atMostMs, ...cell }: Deaths): Cell {
  return {
    ...cell,
    definition: `${KILLS} deaths a round by SIGKILL${terms}. Control: until the parent of a killed process hears of it.`,
    fixed: true,
    measures: [
      { key: 'p50', name: 'median', unit: 'ms' },
      { key: 'p99', name: '99 of 100', unit: 'ms', targets: [{ of: OURS, atMost: atMostMs }] },
    ],
    contestants: [
      contestant(OURS, 'ours', survive),
      contestant('its parent hears of it', 'control', (directory) => heardOf(start(directory))),
    ],
  };
}

function contestant(
  name: string,
  role: Contestant['role'],
  once: (directory: string) => Promise<number>,
): Contestant {
  const turn = async (directory: string): Promise<Readings> => {
    const times: number[] = [];
    for (let kill = 0; kill < KILLS; kill++) times.push(await once(mkdtempSync(join(directory, 'd-'))));
    return { p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
  };
  return { name, role, turn };
}

async function heardOf(child: Child): Promise<number> {
  await child.message();
  const killedAt = performance.now();
  child.kill('SIGKILL');
  await child.ended();
  return performance.now() - killedAt;
}

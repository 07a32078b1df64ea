import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cell, Contestant, Measure, Readings, Result, Verdict } from './cell.js';
import { figures, median } from './statistics.js';

/** How long a turn may take, with all that is prepared for it; who is slower gets fewer records. */
const TURN_MS = 1200;
/** When a peer that does not end, for lack of a server's answer, is given up. */
const GIVEN_UP_MS = 120_000;
/** The part of a cell's records with which everybody's pace is found. */
const PILOT = 0.05;
/** The part of its own turn's records with which a contestant warms up. */
const WARM = 1;
const STEP = 100;

interface Entrant {
  readonly contestant: Contestant;
  records: number;
  readonly turns: Readings[];
  /** Why it was left out. */
  failed?: string;
}

/**
 * Measures a cell: a pilot that finds how many records everybody's turn has, a turn to warm up, then rounds in each of
 * which everybody has a turn, so that what else the machine does meets all alike. Each one's files are removed before the
 * next one's turn. Who fails has no more turns, and the others go on.
 */
export async function measure(cell: Cell, rounds: number, parent: string): Promise<Result[]> {
  const entrants: Entrant[] = [];
  for (const contestant of cell.contestants) {
    const entrant: Entrant = { contestant, records: cell.records, turns: [] };
    entrants.push(entrant);
    if (cell.fixed === true) continue;
    await attempt(entrant, async () => {
      entrant.records = await pace(contestant, cell.records, parent);
      await turn(contestant, Math.max(STEP, stepped(entrant.records * WARM)), parent);
    });
  }
  const [first] = entrants;
  if (cell.warms === true && first !== undefined) {
    await attempt(first, async () => {
      await turn(first.contestant, first.records, parent);
    });
  }
  for (let round = 0; round < (cell.rounds ?? rounds); round++) {
    const order = round % 2 === 0 ? entrants : [...entrants].reverse();
    for (const entrant of order) {
      await attempt(entrant, async () => {
        entrant.turns.push(await turn(entrant.contestant, entrant.records, parent));
      });
    }
  }
  return cell.measures.map((one) => result(cell, one, entrants));
}

async function attempt(entrant: Entrant, work: () => Promise<void>): Promise<void> {
  if (entrant.failed !== undefined) return;
  try {
    await work();
  } catch (error) {
    entrant.failed = error instanceof Error ? error.message : String(error);
  }
}

async function pace(contestant: Contestant, records: number, parent: string): Promise<number> {
  const pilot = Math.min(records, Math.max(STEP, stepped(records * PILOT)));
  const begin = performance.now();
  const { each: own } = await turn(contestant, pilot, parent);
  // Where a turn starts a process, most of its time is that, and the records would be too few to measure anything by.
  const each = own === undefined ? (performance.now() - begin) / pilot : own / 1000;
  return Math.min(records, Math.max(STEP, stepped(TURN_MS / each)));
}

const stepped = (records: number): number => Math.round(records / STEP) * STEP;

async function turn(contestant: Contestant, records: number, parent: string): Promise<Readings> {
  const directory = mkdtempSync(join(parent, 't-'));
  try {
    const readings = contestant.turn(directory, records);
    return await (contestant.role === 'peer' ? Promise.race([readings, givenUp()]) : readings);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function givenUp(): Promise<never> {
  await sleep(GIVEN_UP_MS, undefined, { ref: false });
  throw new Error(`given up after ${GIVEN_UP_MS / 1000} seconds`);
}

function result(cell: Cell, one: Measure, entrants: readonly Entrant[]): Result {
  const there = entrants.filter(
    ({ turns, failed }) => failed === undefined && turns.every((readings) => readings[one.key] !== undefined),
  );
  const failures = entrants.flatMap(({ contestant: { name }, failed }) =>
    failed === undefined ? [] : [`${name}: ${failed}`],
  );
  const valuesOf = ({ turns }: Entrant, key: string): number[] =>
    turns.map((readings) => readings[key] ?? Number.NaN);
  const named = (name: string): number[] => {
    const entrant = there.find(({ contestant }) => contestant.name === name);
    return entrant === undefined ? [] : valuesOf(entrant, one.key);
  };
  const contestants = there.map((entrant) => {
    const cpu = median(valuesOf(entrant, 'cpu'));
    return {
      name: entrant.contestant.name,
      role: entrant.contestant.role,
      figures: figures(valuesOf(entrant, one.key)),
      records: entrant.records,
      ...(Number.isNaN(cpu) ? {} : { cpu }),
    };
  });
  const verdicts = (one.targets ?? []).map((target): Verdict => {
    const own = named(target.of);
    const other = target.to === undefined ? undefined : named(target.to);
    const reached = median(own.map((value, round) => value / (other?.[round] ?? 1)));
    return { ...target, reached, ok: reached <= target.atMost };
  });
  const ours = contestants.find(({ role }) => role === 'ours')?.figures.median ?? Number.NaN;
  const behind = contestants
    .filter(({ role, figures: { median: theirs } }) => role === 'peer' && !(ours < theirs))
    .map(({ name }) => name);
  return {
    id: one.name === '' ? cell.id : `${cell.id}: ${one.name}`,
    name: cell.name,
    group: cell.group,
    definition: cell.definition,
    table: cell.column?.table ?? cell.id,
    column: [cell.column?.head ?? '', one.name].filter((part) => part !== '').join(', '),
    unit: one.unit,
    contestants,
    verdicts,
    ...(one.lead === true ? { behind } : {}),
    ...(failures.length > 0 ? { failures } : {}),
  };
}

import { rmSync, statSync, watch } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../src/clock.js';
import { FileNames } from '../../src/disk/file-names.js';
import { osDisk } from '../../src/disk/os.js';
import { openQueue, type QueueStats, type Report, verify } from '../../src/mod.js';
import { checkDirectory } from '../support/consistency.js';
import { pause } from '../support/pause.js';
import { type Program, type Starter, startProgram } from '../support/processes.js';
import type { Random } from '../support/random.js';
import { until } from '../support/until.js';
import { NotesReader } from './notes.js';
import { type Judgement, judge } from './soak-judge.js';
import { Ledger, type Life } from './soak-ledger.js';
import { LONG_LEASE_MS, patient, type Role, type SoakOrders, type SoakPlan } from './soak-plan.js';

/** From when a holder is known to be dead to the next delivery of what it held; under a busy machine. */
const BACK_WITHIN_MS = 10_000;
/** With lock files nobody gets in for seconds where who had the lock was killed, and that may happen again and again. */
const STALE_MS = 60_000;
const DRAINED_WITHIN_MS = 90_000;
const LONGEST_STOP_MS = 300;
const LOOK_EVERY_MS = 250;
/** Of notes that are judged already so much is kept. */
const KEPT_NOTES = 256 * 1024 * 1024;

/** A process that lives, in a place that somebody always fills. */
interface Incumbent {
  readonly life: Life;
  readonly program: Program;
  readonly notes: NotesReader;
  /** Since when and until when it is stopped. */
  stopped: { readonly from: number; readonly until: number } | undefined;
}

interface Place {
  readonly role: Role;
  readonly name: string;
  lives: number;
}

export interface SoakCounts {
  kills: number;
  stops: number;
  rolls: number;
  journals: number;
  takeovers: number;
}

/** Where a soak is run, and who is told. */
export interface SoakSite {
  readonly starter: Starter;
  readonly chance: Random;
  /** The store's, empty. */
  readonly directory: string;
  /** Where notes go. */
  readonly scratch: string;
  /** Ends the blows early; all the rest follows. */
  readonly signal?: AbortSignal;
  /** Called now and then. */
  readonly onLook?: (soak: { ledger: Ledger; counts: SoakCounts }) => void;
}

export interface SoakResult extends Judgement {
  readonly ledger: Ledger;
  readonly counts: SoakCounts;
  /** What anybody saw on the way that must not be. */
  readonly odd: readonly string[];
  readonly stats: QueueStats;
  readonly report: Report;
  /** What is wrong with the directory when everybody has left. */
  readonly problems: readonly string[];
}

/** Producers and consumers at work while blows fall; then peace, until everything is drained and everybody has left. */
export async function soak(site: SoakSite, plan: SoakPlan): Promise<SoakResult> {
  return new Soak(site, plan).run();
}

class Soak {
  readonly #site: SoakSite;
  readonly #plan: SoakPlan;
  readonly #ledger = new Ledger();
  readonly #counts: SoakCounts = { kills: 0, stops: 0, rolls: 0, journals: 0, takeovers: 0 };
  readonly #origin = systemClock.monotonic();
  readonly #incumbents = new Map<Place, Incumbent>();
  readonly #judged: { path: string; bytes: number }[] = [];
  readonly #isLockfile: boolean;

  constructor(site: SoakSite, plan: SoakPlan) {
    this.#site = site;
    this.#plan = plan;
    this.#isLockfile = plan.options.locking === 'lockfile';
  }

  async run(): Promise<SoakResult> {
    const { producers, consumers, readers = 0, verifiers = 0 } = this.#plan;
    const roles: [Role, number][] = [
      ['producer', producers.count],
      ['consumer', consumers.count],
      ['reader', readers],
      ['verifier', verifiers],
    ];
    for (const [role, count] of roles)
      for (let n = 0; n < count; n++) this.#begin({ role, name: `${role}${n}`, lives: 0 });
    const watcher = this.#watchFiles();
    try {
      await this.#war();
      const stats = await this.#peace();
      const { leaseMs = LONG_LEASE_MS } = consumers;
      const law = {
        leaseMs,
        backWithinMs: this.#isLockfile ? leaseMs + STALE_MS : BACK_WITHIN_MS,
        onlyDequeues: consumers.deeds.claim === undefined,
      };
      return {
        ...judge(this.#ledger, law),
        ledger: this.#ledger,
        counts: this.#counts,
        odd: this.#ledger.problems,
        stats,
        report: await verify({ directory: this.#site.directory }),
        problems: checkDirectory(this.#site.directory),
      };
    } finally {
      watcher.close();
    }
  }

  get #now(): number {
    return systemClock.monotonic() - this.#origin;
  }

  #begin(place: Place): void {
    const { starter, chance, directory, scratch } = this.#site;
    const life = this.#ledger.born(`${place.name}.${place.lives}`);
    place.lives += 1;
    const notes = join(scratch, life.name);
    const orders: SoakOrders = {
      directory,
      options: this.#plan.options,
      plan: this.#plan,
      role: place.role,
      seed: chance.integer(0, 2 ** 32 - 1),
      life: life.number,
      notes,
      origin: this.#origin,
    };
    const program = startProgram(starter, 'test/processes/soak-child.js', { args: [JSON.stringify(orders)] });
    this.#incumbents.set(place, { life, program, notes: new NotesReader(notes), stopped: undefined });
  }

  /** Counts the files that are begun, also those that are soon gone. */
  #watchFiles(): { close(): void } {
    const { directory } = this.#site;
    const names = new FileNames(directory, 'duro');
    const segments = new Set<string>();
    return watch(directory, (_event, name) => {
      const parsed = name === null ? undefined : names.parse(name);
      if (parsed?.kind === 'data') segments.add(`${parsed.number} ${parsed.epoch}`);
      if (parsed?.kind === 'fate') this.#counts.journals = Math.max(this.#counts.journals, parsed.number - 1);
      if (parsed?.kind === 'takeover')
        this.#counts.takeovers = Math.max(this.#counts.takeovers, parsed.number);
      this.#counts.rolls = Math.max(0, segments.size - 1);
    });
  }

  /** Blows fall, each at random. */
  async #war(): Promise<void> {
    const { forMs, killEveryMs = 0, stopEveryMs = 0, allOneIn = 20 } = this.#plan;
    const { chance, signal } = this.#site;
    const next = (everyMs: number): number =>
      everyMs === 0 ? Number.POSITIVE_INFINITY : this.#now + everyMs * (0.5 + chance.next());
    const end = this.#now + forMs;
    let killAt = next(killEveryMs);
    let stopAt = next(stopEveryMs);
    let lookAt = this.#now;
    while (this.#now < end && !signal?.aborted && this.#ledger.problems.length === 0) {
      const soonest = Math.min(killAt, stopAt, lookAt, end);
      if (soonest > this.#now) await pause(Math.min(soonest - this.#now, LOOK_EVERY_MS));
      this.#resumeStopped(this.#now);
      for (const [place, { program }] of this.#incumbents) assertAlive(place, program);
      if (this.#now >= killAt) {
        await this.#kill(chance.integer(1, allOneIn) === 1 ? [...this.#incumbents.keys()] : this.#someone());
        killAt = next(killEveryMs);
      }
      if (this.#now >= stopAt) {
        this.#stop(chance.pick([...this.#incumbents.values()]));
        stopAt = next(stopEveryMs);
      }
      if (this.#now < lookAt) continue;
      this.#look();
      lookAt = this.#now + LOOK_EVERY_MS;
    }
    this.#resumeStopped(Number.POSITIVE_INFINITY);
  }

  /** Mostly somebody who works already: on a busy machine nobody would ever get so far. */
  #someone(): Place[] {
    const { chance } = this.#site;
    const all = [...this.#incumbents];
    const working = all.filter(([, { notes }]) => notes.position > 0);
    const choices = chance.chance(0.9) ? working : all;
    return choices.length === 0 ? [] : [chance.pick(choices)[0]];
  }

  async #kill(places: readonly Place[]): Promise<void> {
    await Promise.all(
      places.map(async (place) => {
        const incumbent = this.#incumbents.get(place);
        if (incumbent === undefined) return;
        incumbent.life.killedAt = this.#now;
        await incumbent.program.kill();
        this.#endStop(incumbent);
        this.#counts.kills += 1;
        this.#bury(incumbent);
      }),
    );
    for (const place of places) this.#begin(place);
  }

  #stop(incumbent: Incumbent): void {
    if (incumbent.stopped !== undefined) return;
    const { chance } = this.#site;
    const { longestStopMs = LONGEST_STOP_MS } = this.#plan;
    incumbent.program.pause();
    // Mostly short ones: while somebody sleeps with a lock, all the others do.
    const most = chance.chance(0.9) ? Math.min(longestStopMs, LONGEST_STOP_MS) : longestStopMs;
    const from = this.#now;
    incumbent.stopped = { from, until: from + chance.integer(1, most) };
    this.#counts.stops += 1;
  }

  #resumeStopped(until: number): void {
    for (const incumbent of this.#incumbents.values()) {
      if (incumbent.stopped === undefined || incumbent.stopped.until > until) continue;
      incumbent.program.resume();
      this.#endStop(incumbent);
    }
  }

  #endStop(incumbent: Incumbent): void {
    if (incumbent.stopped === undefined) return;
    this.#ledger.stops.push({ from: incumbent.stopped.from, to: this.#now });
    incumbent.stopped = undefined;
  }

  #look(): void {
    for (const { notes, life } of this.#incumbents.values())
      notes.read((words) => this.#ledger.note(life, words));
    this.#site.onLook?.({ ledger: this.#ledger, counts: this.#counts });
  }

  /** Reads the last notes of the dead, and forgets the oldest of them. */
  #bury({ life, notes }: Incumbent): void {
    notes.read((words) => this.#ledger.note(life, words));
    if (notes.position > 0) this.#judged.push({ path: notes.path, bytes: notes.position });
    let kept = this.#judged.reduce((sum, { bytes }) => sum + bytes, 0);
    while (kept > KEPT_NOTES) {
      const oldest = this.#judged.shift();
      if (oldest === undefined) return;
      kept -= oldest.bytes;
      rmSync(oldest.path, { force: true });
    }
  }

  async #peace(): Promise<QueueStats> {
    const { directory } = this.#site;
    await this.#endInPeace((role) => role !== 'consumer');
    const queue = await openQueue<string>({ ...patient, ...this.#plan.options, directory });
    try {
      await until(
        'the queue is drained',
        async () => {
          this.#look();
          for (const [place, { program }] of this.#incumbents) assertAlive(place, program);
          const { waiting, claimed } = await queue.stats();
          return waiting === 0 && claimed === 0;
        },
        DRAINED_WITHIN_MS,
      );
      await this.#endInPeace(() => true);
      return await queue.stats();
    } finally {
      await queue.close();
    }
  }

  async #endInPeace(who: (role: Role) => boolean): Promise<void> {
    const those = [...this.#incumbents].filter(([{ role }]) => who(role));
    for (const [, { program }] of those) program.send('stop');
    for (const [place, incumbent] of those) {
      const { program } = incumbent;
      const { code, signal } = await program.ended(DRAINED_WITHIN_MS);
      if (code !== 0) throw new Error(`${place.name} ended with ${signal ?? code}: ${program.stderr}`);
      this.#bury(incumbent);
      this.#incumbents.delete(place);
    }
  }
}

/** A program that ended by itself has failed, and says why. */
function assertAlive({ name }: Place, program: Program): void {
  if (!program.running) throw new Error(`${name} ended by itself: ${program.stderr}`);
}

/** Bytes of the files in a store's directory. */
export function bytesIn(directory: string): number {
  let bytes = 0;
  for (const name of osDisk.list(directory)) {
    try {
      bytes += statSync(join(directory, name)).size;
    } catch {
      // Gone since it was listed.
    }
  }
  return bytes;
}

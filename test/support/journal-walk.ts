import { checkFileHeader, HEADER_BYTES, HeaderKind } from '../../src/frame/file-header.js';
import { decodeFacts } from '../../src/journal/fact-reader.js';
import type { Death, FactSink } from '../../src/journal/facts.js';
import { describeFrame, type WalkedFrame, walkFrames, wholeFrameBehind } from './frame-walk.js';

export interface JournalFile {
  readonly number: number;
  readonly epoch: number;
  readonly path: string;
  readonly bytes: Buffer;
  /** Where a take-over has cut it: it goes on in the next number. */
  readonly cut: number | undefined;
}

export interface WalkedJournals {
  readonly problems: readonly string[];
  /** The greatest index that a fact names. */
  readonly highestNamed: number;
  /** Whether all of `[from, to)` are gone. */
  isGone(from: number, to: number): boolean;
}

/** What the checks have to know of the facts: a list of ranges, as plain as can be. */
class Ledger implements FactSink {
  readonly problems: string[] = [];
  readonly #gone: { from: number; to: number }[] = [];
  readonly #incarnations = new Map<number, number>();
  /** The record that a schedule's tick is about to be; 0: none. */
  readonly #ticks = new Map<string, number>();
  /** Of named consumers: the fact that made them, and what they have done. */
  readonly #consumers = new Map<string, { readonly since: number; position: number }>();
  highestNamed = 0;

  gone(from: number, to: number): void {
    if (from < 1 || from >= to) this.problems.push(`a fact says that [${from}, ${to}) is gone`);
    this.#name(to - 1);
    this.#gone.push({ from, to });
  }

  lost(from: number, to: number): void {
    this.gone(from, to);
    for (const [name, index] of this.#ticks) if (index >= from && index < to) this.#ticks.set(name, 0);
  }

  slotTaken(slot: number, incarnation: number): void {
    for (const [other, taken] of this.#incarnations)
      if (slot !== 0 && taken === slot) this.#incarnations.delete(other);
    if (this.#incarnations.has(incarnation))
      this.problems.push(`incarnation ${incarnation} was there before`);
    this.#incarnations.set(incarnation, slot);
  }

  freed(incarnation: number): void {
    this.#incarnations.delete(incarnation);
  }

  claimed(index: number, to: number, incarnation: number, attempt: number): void {
    this.#name(to - 1);
    if (attempt < 1) this.problems.push(`${index} was claimed for the ${attempt}th time`);
    if (!this.#incarnations.has(incarnation))
      this.problems.push(`${index} was claimed by ${incarnation}, which has no slot`);
  }

  extended(index: number): void {
    this.#name(index);
  }

  released(index: number): void {
    this.#name(index);
  }

  attempted(index: number): void {
    this.#name(index);
  }

  attemptedSince(index: number): void {
    this.#name(index);
  }

  died(index: number, { attempts, firstFailedAt, lastFailedAt }: Death): void {
    this.#name(index);
    if (attempts < 1) this.problems.push(`${index} is dead, and was never claimed`);
    if (firstFailedAt < 1 || lastFailedAt < firstFailedAt)
      this.problems.push(`${index} is dead since ${lastFailedAt}, and failed first at ${firstFailedAt}`);
  }

  putOff(index: number): void {
    this.#name(index);
  }

  requeued(index: number): void {
    this.#name(index);
  }

  progress(index: number): void {
    this.#name(index);
  }

  /** What batches carry has to be told here before anything goes because of it, so that is not looked at. */
  carried(): void {}

  scheduled({ name }: { readonly name: string }): void {
    if (!this.#ticks.has(name)) this.#ticks.set(name, 0);
  }

  unscheduled(name: string): void {
    if (!this.#ticks.delete(name)) this.problems.push(`'${name}' is unscheduled and was not there`);
  }

  ticking(name: string, _time: number, index: number): void {
    if (this.#ticks.get(name) !== 0) this.problems.push(`'${name}' ticks and is not there, or ticks already`);
    this.#ticks.set(name, index);
  }

  ticked(name: string): void {
    this.#name(this.#ticks.get(name) ?? 0);
    this.unticked(name);
  }

  /** Where its record was lost meanwhile, it is over already. */
  unticked(name: string): void {
    if (!this.#ticks.has(name)) this.problems.push(`'${name}' ticked and is not there`);
    this.#ticks.set(name, 0);
  }

  consumer(name: string, since: number, position: number): void {
    this.#name(position);
    if (since < 1) this.problems.push(`'${name}' was made by fact ${since}`);
    this.#consumers.set(name, { since, position });
  }

  consumed(name: string, index: number): void {
    this.#name(index);
    const known = this.#consumers.get(name);
    if (known === undefined) this.problems.push(`'${name}' has done ${index} and is not there`);
    else known.position = Math.max(known.position, index);
  }

  consumerRemoved(name: string): void {
    if (!this.#consumers.delete(name)) this.problems.push(`'${name}' is removed and was not there`);
  }

  /** Where the named consumers are, as one line. */
  get consumers(): string {
    const all = [...this.#consumers].map(([name, { since, position }]) => `${name}#${since}@${position}`);
    return all.sort().join(' ');
  }

  isGone(from: number, to: number): boolean {
    const ranges = this.#gone.filter((one) => one.to > from && one.from < to).sort((a, b) => a.from - b.from);
    let reached = from;
    for (const range of ranges) if (range.from <= reached) reached = Math.max(reached, range.to);
    return reached >= to;
  }

  /** All that is gone, as one line. */
  toString(): string {
    const ranges: { from: number; to: number }[] = [];
    for (const { from, to } of [...this.#gone].sort((a, b) => a.from - b.from)) {
      const last = ranges.at(-1);
      if (last === undefined || from > last.to) ranges.push({ from, to });
      else last.to = Math.max(last.to, to);
    }
    return ranges.map(({ from, to }) => `${from}-${to}`).join(' ');
  }

  #name(index: number): void {
    this.highestNamed = Math.max(this.highestNamed, index);
  }
}

/**
 * Follows the journals from the lowest there is. Each but the first of all begins with a state, whole, that says the
 * same as the facts of the one before it, where that is still there.
 */
export function walkJournals(files: readonly JournalFile[], storeId: Buffer): WalkedJournals {
  const problems: string[] = [];
  let ledger = new Ledger();
  let fact: number | undefined;
  let current = files[0];
  const followed = new Set<number>();
  while (current !== undefined) {
    followed.add(current.number);
    const before: string | undefined = fact === undefined ? undefined : stateOf(fact, ledger);
    ledger = new Ledger();
    const walked = walkJournal(current, storeId, ledger, problems);
    if (before !== undefined && before !== walked.beginning)
      problems.push(`journal ${current.number} begins with ${walked.beginning}, not ${before}`);
    fact = walked.isShort ? undefined : walked.fact;
    problems.push(...ledger.problems);
    if (walked.continuesIn === undefined) break;
    const next = files.find(({ number }) => number === walked.continuesIn);
    if (next === undefined || followed.has(next.number)) {
      problems.push(`journal ${current.number} is continued in ${walked.continuesIn}, which is not there`);
      break;
    }
    current = next;
  }
  const last = current?.number ?? 0;
  for (const { number } of files)
    if (!followed.has(number) && number !== last + 1)
      problems.push(`journal ${number} is neither followed nor an unfinished successor of ${last}`);
  return {
    problems,
    highestNamed: ledger.highestNamed,
    isGone: (from, to) => ledger.isGone(from, to),
  };
}

const stateOf = (fact: number, ledger: Ledger): string =>
  `fact ${fact}, gone ${ledger}, consumers ${ledger.consumers}`;

function walkJournal(
  file: JournalFile,
  storeId: Buffer,
  ledger: Ledger,
  problems: string[],
): { fact: number; continuesIn: number | undefined; beginning: string; isShort: boolean } {
  const { bytes, number, epoch, path, cut } = file;
  const problem = (what: string): number => problems.push(`${path}: ${what}`);
  try {
    const length = Math.min(bytes.length, HEADER_BYTES);
    const header = checkFileHeader(bytes, length, HeaderKind.fates, storeId, number, path, epoch);
    if (header !== 'valid') problem(`its header is ${header}`);
  } catch (error) {
    problem(String(error));
  }
  const walk = walkFrames(bytes, HEADER_BYTES);
  let fact = 0;
  let beginning = 'nothing';
  let continuesIn: number | undefined;
  let previous: WalkedFrame | undefined;
  for (const frame of walk.frames) {
    const { kind, number: said, length, safe } = frame.head;
    const follows = previous?.head.kind;
    if (continuesIn !== undefined) problem(`${describeFrame(frame)} behind the mark of its successor`);
    if (!frame.head.endsBatch) problem(`${describeFrame(frame)} does not end a batch`);
    if ((follows === 'unfinished' || follows === 'state') && kind !== 'state' && kind !== 'complete')
      problem(`${describeFrame(frame)} in the beginning`);
    if (kind === 'unfinished') {
      if (previous !== undefined || said >= number) problem(`${describeFrame(frame)}: no place for it`);
    } else if (kind === 'state' || kind === 'complete') {
      if (follows !== 'unfinished' && follows !== 'state')
        problem(`${describeFrame(frame)}: no place for it`);
      if (follows === 'state' && said !== previous?.head.number) problem('its state is of two moments');
      if (kind === 'state') decodeFacts(bytes, frame.body, frame.position + length, ledger, path);
      fact = said;
      if (kind === 'complete') beginning = stateOf(fact, ledger);
    } else if (kind === 'facts') {
      if (previous === undefined && number !== 1) problem('a successor without a state');
      if (said !== fact + 1) problem(`${describeFrame(frame)} where fact ${fact + 1} is expected`);
      if (safe >= said) problem(`${describeFrame(frame)} says that it is safe itself`);
      decodeFacts(bytes, frame.body, frame.position + length, ledger, path);
      fact = said;
    } else if (kind === 'continues') {
      continuesIn = said;
      if (said <= number) problem(`${describeFrame(frame)}: that is no successor`);
    } else problem(`${describeFrame(frame)} does not belong into a journal`);
    previous = frame;
  }
  // A power cut may have taken some of what a take-over counted, and its successor has it all.
  const isShort = cut !== undefined && walk.end < cut;
  const behind = wholeFrameBehind(
    bytes,
    walk.end,
    (head) => (head.kind === 'facts' && head.number > fact) || head.kind === 'continues',
  );
  if (behind !== undefined && !isShort) problem(`${describeFrame(behind)} behind what is bad at ${walk.end}`);
  if (cut !== undefined && continuesIn !== undefined) problem('its own mark counts, and it was cut');
  return { fact, continuesIn: cut === undefined ? continuesIn : number + 1, beginning, isShort };
}

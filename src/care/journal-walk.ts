import { CorruptError } from '../errors.js';
import { HEADER_BYTES } from '../frame/file-header.js';
import { FrameKind, HEAD_BYTES, type Head } from '../frame/frame.js';
import type { FrameAt } from '../frame/frame-search.js';
import { decodeFacts } from '../journal/fact-reader.js';
import { Fates } from '../journal/fates.js';
import type { FrameGuest } from './frame-walk.js';

/** Bad bytes in a journal with whole frames behind them. */
export interface JournalHole {
  readonly position: number;
  readonly bytes: number;
  /** Whether the state that the journal begins with is damaged, which was on the device before it counted. */
  readonly inState: boolean;
  /** The last fact before it. */
  readonly fact: number;
}

/** Folds what is whole in one journal, over damage too: facts are statements that stay true, whatever is missing between. */
export class JournalWalk implements FrameGuest {
  readonly fates = new Fates('');
  readonly holes: JournalHole[] = [];
  /** Whether the state that it begins with, if it should, was seen to its end. */
  isComplete: boolean;
  /** The last fact. */
  fact = 0;
  safe = 0;
  end = HEADER_BYTES;
  bytes = 0;
  continuesIn: number | undefined;
  /** Where a fact does not end where its frame does. */
  oddFact: { readonly position: number; readonly bytes: number } | undefined;
  readonly #path: string;
  readonly #limit: number;
  readonly #features: number;

  /** Nothing at or behind `limit` counts. `features` are those that its header names. */
  constructor(path: string, number: number, limit: number, features: number) {
    this.#path = path;
    this.#features = features;
    this.#limit = limit;
    this.isComplete = number === 1;
  }

  take(head: Head, bytes: Buffer, at: number, position: number): 'taken' | 'refused' | 'last' {
    if (position + head.length > this.#limit) return 'last';
    if (!this.#fits(head.kind, head.number, position)) return 'refused';
    if (head.kind === FrameKind.facts || head.kind === FrameKind.state) this.#fold(head, bytes, at, position);
    if (head.kind === FrameKind.facts || head.kind === FrameKind.complete) this.fact = head.number;
    if (head.kind === FrameKind.complete) this.isComplete = true;
    if (head.safe > this.safe) this.safe = head.safe;
    this.end = position + head.length;
    this.bytes += head.length;
    if (head.kind !== FrameKind.continues) return 'taken';
    this.continuesIn = head.number;
    return 'last';
  }

  resumesAt({ kind, number, position }: FrameAt): boolean {
    if (position >= this.#limit || kind === FrameKind.unfinished) return false;
    return kind === FrameKind.facts ? number > this.fact : !this.isComplete || kind === FrameKind.continues;
  }

  hole(position: number, frame: FrameAt): void {
    const inState = !this.isComplete;
    this.holes.push({ position, bytes: frame.position - position, inState, fact: this.fact });
    if (frame.kind === FrameKind.facts) {
      this.isComplete = true;
      this.fact = frame.number - 1;
    }
    if (frame.kind === FrameKind.continues) this.isComplete = true;
  }

  #fits(kind: number, number: number, position: number): boolean {
    switch (kind) {
      case FrameKind.facts:
        return this.isComplete && number === this.fact + 1;
      case FrameKind.continues:
        return this.isComplete;
      case FrameKind.unfinished:
        return position === HEADER_BYTES && !this.isComplete;
      case FrameKind.state:
      case FrameKind.complete:
        return !this.isComplete && (position > HEADER_BYTES || this.holes.length > 0);
      default:
        return false;
    }
  }

  #fold(head: Head, bytes: Buffer, at: number, position: number): void {
    this.fates.at(head.time);
    try {
      decodeFacts(bytes, at + HEAD_BYTES, at + head.length, this.fates, this.#path, this.#features);
    } catch (error) {
      if (!(error instanceof CorruptError)) throw error;
      this.oddFact ??= { position, bytes: head.length };
    }
  }
}

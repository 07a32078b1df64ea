import type { Contestant } from '../cell.js';
import { RECORD_BYTES } from '../loops.js';
import type { Subject } from '../subject.js';
import { bareFiles } from '../subjects/bare.js';
import { durostore } from '../subjects/durostore.js';
import { rawFile } from '../subjects/raw.js';
import { timed, type Work } from '../timed.js';

export const OURS = 'durostore';
export const RAW = 'raw';

/** The library, the raw file, and the library's own system calls without it, at the same work. */
export function oursAndControls(work: Work, bytes = RECORD_BYTES): Contestant[] {
  return [
    timed(durostore, 'ours', work),
    timed(rawFile(bytes), 'control', work),
    timed(bareFiles(bytes), 'control', work),
  ];
}

/** The peers at the same work, without those that have no way of doing it. */
export function peersAt(
  peers: readonly Subject[],
  work: Work,
  without: readonly string[] = [],
): Contestant[] {
  return peers.filter(({ name }) => !without.includes(name)).map((peer) => timed(peer, roleOf(peer), work));
}

export const target = (atMost: number): { of: string; to: string; atMost: number } => ({
  of: OURS,
  to: RAW,
  atMost,
});

export const roleOf = ({ aside }: Subject): 'peer' | 'variant' => (aside === true ? 'variant' : 'peer');

import type { Cell } from '../cell.js';
import type { Subject } from '../subject.js';
import { appendCells, syncedCells } from './append.js';
import { readCells } from './read.js';
import { claimCells, throughCells } from './through.js';

/** Everything that is measured, in the order of the tables. */
export function allCells(peers: readonly Subject[], _full: boolean): Cell[] {
  return [
    ...appendCells(peers),
    ...readCells(peers),
    ...throughCells(peers),
    ...claimCells(),
    ...syncedCells(peers),
  ];
}

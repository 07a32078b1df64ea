import type { Cell } from '../cell.js';
import type { Subject } from '../subject.js';
import { appendCells, syncedCells } from './append.js';
import { contentionCells } from './contention.js';
import { deadHolderCell } from './dead-holder.js';
import { deadMemberCell } from './dead-member.js';
import { drainedCell } from './drained.js';
import { eventLoopCell } from './event-loop.js';
import { fairnessCell } from './fairness.js';
import { formatCells } from './format.js';
import { growthCell } from './growth.js';
import { idleCell } from './idle.js';
import { indexAtCell } from './index-at.js';
import { lockingCells } from './locking.js';
import { memoryCell } from './memory.js';
import { allocationCell, memoryOfTwoCell } from './memory-of-two.js';
import { openingCell } from './opening.js';
import { readCells } from './read.js';
import { sizeCells } from './sizes.js';
import { claimCells, throughCells } from './through.js';
import { twoProcessesCells } from './two-processes.js';
import { valueCells } from './values.js';

/** Everything that is measured, in the order of the tables; `full` goes to ten million records. */
export function allCells(peers: readonly Subject[], full: boolean): Cell[] {
  return [
    ...appendCells(peers),
    ...readCells(peers),
    ...throughCells(peers),
    ...claimCells(),
    ...syncedCells(peers),
    ...twoProcessesCells(peers),
    deadHolderCell(),
    ...contentionCells(peers),
    fairnessCell(),
    ...valueCells(),
    ...sizeCells(peers),
    ...lockingCells(),
    indexAtCell(full),
    deadMemberCell(),
    growthCell(full),
    openingCell(full),
    memoryCell(full),
    memoryOfTwoCell(full),
    allocationCell(),
    drainedCell(peers),
    eventLoopCell(),
    idleCell(),
    ...formatCells(),
  ];
}

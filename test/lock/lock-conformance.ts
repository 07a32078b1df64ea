import { conformanceAlone } from './conformance-alone.js';
import { conformanceHolds } from './conformance-holds.js';
import { conformanceOpeners } from './conformance-openers.js';
import { conformanceProcesses } from './conformance-processes.js';
import type { LockKind } from './kind.js';

/** What every kind of lock has to pass, as far as it can be shared. */
export function lockConformance(
  name: string,
  kind: LockKind,
  sharedBy: 'nobody' | 'openers' | 'processes',
): void {
  conformanceAlone(name, kind);
  conformanceHolds(name, kind, sharedBy);
  if (sharedBy !== 'nobody') conformanceOpeners(name, kind);
  if (sharedBy === 'processes') conformanceProcesses(name, kind);
}

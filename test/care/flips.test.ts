import t from 'tap';
import type { Report } from '../../src/care/report.js';
import { verifyOn } from '../../src/care/verify.js';
import { MemoryDisk } from '../../src/disk/memory.js';
import { range, text } from '../store/records.js';
import {
  covers,
  DIRECTORY,
  data,
  entries,
  FRAME,
  fill,
  frameAt,
  JOURNAL,
  leave,
  open,
  payload,
  repaired,
  serious,
  verified,
} from './store.js';

const DELETED = [2, 6];
/** Two facts, each one decision: a head, a code and a range. */
const FACT = 36 + 13;
const FACTS_END = 32 + 2 * FACT;

interface Expected {
  readonly severity: 'note' | 'damage' | 'loss';
  /** The records that are said to be at stake. */
  readonly indexes?: { from: number; to: number };
  /** The records that cannot be read after a repair, beside those that were deleted. */
  readonly lost: readonly number[];
  /** Deleted records that may be back. */
  readonly back?: readonly number[];
}

/**
 * What is to be told of a flipped byte: it depends on what stands there. `safe`: the last index that a frame calls safe; what
 * is bad beyond it may never have been whole, so opening cuts it.
 */
function expected(path: string, at: number, safe: number): Expected {
  if (path.endsWith('.idx')) return { severity: 'note', lost: [] };
  if (path === JOURNAL) {
    if (at < 32) return { severity: 'damage', lost: [] };
    // The second says that the first was on the device; that it was itself, nothing says.
    if (at < 32 + FACT) return { severity: 'damage', lost: [], back: [2] };
    return { severity: 'note', lost: [], back: at < FACTS_END ? [6] : [] };
  }
  const first = Number(/_(\d+)\.dat$/.exec(path)?.[1]);
  const last = Math.min(first + 3, 10);
  if (at < 32)
    return { severity: first <= safe ? 'damage' : 'loss', indexes: { from: first, to: last }, lost: [] };
  const index = first + Math.floor((at - 32) / FRAME);
  if (index <= last) {
    const indexes = { from: index, to: index };
    const lost = DELETED.includes(index) ? [] : [index];
    if (index > safe) return { severity: 'loss', indexes, lost };
    return lost.length === 0 ? { severity: 'note', indexes, lost } : { severity: 'damage', indexes, lost };
  }
  // The seal, or in the last segment the mark of a clean close, behind which nothing stands.
  return { severity: first < 9 && safe > last ? 'damage' : 'note', lost: [] };
}

/** What a store is after the repair: everything can be read but what is lost. */
async function check(machine: MemoryDisk, { lost, back = [] }: Expected): Promise<string[]> {
  const problems: string[] = [];
  const store = await open(machine);
  try {
    for (const index of range(1, 10)) {
      const found = text(await store.read(index));
      const gone = DELETED.includes(index) || lost.includes(index);
      if (back.includes(index) && found === payload(index)) continue;
      if (found !== (gone ? undefined : payload(index))) problems.push(`${index} is ${found}`);
    }
    if ((await store.stats()).lost !== lost.length) problems.push('the lost are not counted');
    const next = await store.write(Buffer.from('next'));
    if (next <= 10 && !(lost.length === 0 && next === 11)) problems.push(`the next index is ${next}`);
  } finally {
    await store.close();
  }
  return problems;
}

for (const [made, make, safe] of [
  ['of a store that was closed', fill, 10],
  ['of a store whose process was killed', leave, 0],
] as const) {
  t.test(`each byte is flipped ${made}`, async (t) => {
    const original = new MemoryDisk();
    await make(original);
    const sound = await verified(t, original);
    t.same(sound.findings, []);
    t.equal(sound.records, 8);
    const paths = [JOURNAL, ...[1, 5, 9].flatMap((first) => [data(first), entries(first)])];
    for (const path of paths) {
      const problems: string[] = [];
      // The journal is prepared far ahead with zeros: some of them are enough.
      const end = path === JOURNAL ? FACTS_END + 40 : (original.bytes(path)?.length ?? 0);
      for (let at = 0; at < end; at++) {
        const machine = original.fork(1);
        machine.flip(path, at, 1 << (at % 8));
        const problem = (what: string, report?: Report): void => {
          problems.push(`byte ${at}: ${what} ${JSON.stringify(report?.findings ?? '')}`);
        };
        const told = expected(path, at, safe);
        const report = await verifyOn(machine.opener(), { directory: DIRECTORY });
        const finding = report.findings.find((one) => covers(one, path, at));
        const isEnd = path === data(9) && at >= frameAt(10) && safe === 0;
        if (isEnd) {
          // Nothing stands behind the last record, but an entry names it.
          if (report.findings.every(({ severity }) => severity !== 'loss')) problem('is not told', report);
        } else {
          if (finding?.severity !== told.severity) problem(`is not ${told.severity}`, report);
          if (told.indexes && JSON.stringify(finding?.indexes) !== JSON.stringify(told.indexes))
            problem('other indexes', report);
          if (report.findings.length !== 1) problem('more is told', report);
        }
        if (report.ok !== (told.severity === 'note' && !isEnd))
          problem('ok is not what it should be', report);
        // Opening and closing stores takes its time: bytes of all kinds are enough.
        if (at % 17 !== 3) continue;
        const mended = await repaired(machine);
        if (!mended.ok) problem('is not repaired', mended);
        const after = await verifyOn(machine.opener(), { directory: DIRECTORY });
        if (!after.ok || serious(after).length > 0) problem('is not verified after the repair', after);
        for (const what of await check(machine, told)) problem(what, mended);
        const last = await verifyOn(machine.opener(), { directory: DIRECTORY });
        if (!last.ok) problem('is not verified after it was opened', last);
      }
      t.same(problems, [], path);
    }
  });
}

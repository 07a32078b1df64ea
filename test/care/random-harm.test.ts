import t from 'tap';
import { repairOn } from '../../src/care/repair.js';
import { verifyOn } from '../../src/care/verify.js';
import { MemoryDisk } from '../../src/disk/memory.js';
import { range, text } from '../store/records.js';
import { checkDirectoryOn } from '../support/consistency.js';
import { type Random, random } from '../support/random.js';
import { Craft } from './craft.js';
import {
  DIRECTORY,
  data,
  entries,
  FRAME,
  files,
  fill,
  frameAt,
  JOURNAL,
  leave,
  open,
  payload,
} from './store.js';

const DELETED = [2, 6];
const ROUNDS = 100;

/** Does something to a file, and says what. What it does to bytes is told to `hurt`. */
function harm(craft: Craft, path: string, numbers: Random, hurt: (from: number, to: number) => void): string {
  const content = craft.bytes(path);
  const size = Math.min(path === JOURNAL ? 200 : Number.POSITIVE_INFINITY, content.length);
  const at = numbers.integer(0, size - 1);
  switch (numbers.integer(0, 5)) {
    case 0: {
      craft.put(path, content.subarray(0, at));
      hurt(at, content.length);
      return `${path} is cut at ${at}`;
    }
    case 1: {
      const to = Math.min(size, at + numbers.integer(1, 120));
      content.fill(0, at, to);
      craft.put(path, content);
      hurt(at, to);
      return `${path} has zeros from ${at} to ${to}`;
    }
    case 2: {
      if (numbers.chance(0.7)) return 'nothing';
      craft.remove(path);
      hurt(0, content.length);
      return `${path} is removed`;
    }
    case 3: {
      const to = Math.min(size, at + numbers.integer(1, 60));
      for (let one = at; one < to; one++) content[one] = numbers.integer(0, 255);
      craft.put(path, content);
      hurt(at, to);
      return `${path} has noise from ${at} to ${to}`;
    }
    default:
      craft.machine.flip(path, at, 1 << numbers.integer(0, 7));
      hurt(at, at + 1);
      return `${path} is flipped at ${at}`;
  }
}

for (const make of [fill, leave]) {
  t.test(
    `whatever happens to the files, what is whole can be read after a repair (${make.name})`,
    async (t) => {
      const numbers = random(t);
      const original = new MemoryDisk();
      await make(original);
      const problems: string[] = [];
      for (let round = 0; round < ROUNDS && problems.length === 0; round++) {
        const machine = original.fork(round);
        const craft = new Craft(machine);
        const hurt = new Set<number>();
        let factsAreHurt = false;
        const told: string[] = [];
        for (let times = numbers.integer(1, 4); times > 0; times--) {
          const path = numbers.pick([JOURNAL, data(1), data(5), data(9), entries(1), entries(5), entries(9)]);
          if (craft.machine.bytes(path) === undefined || craft.bytes(path).length === 0) continue;
          const first = Number(/_(\d+)\.dat$/.exec(path)?.[1] ?? 0);
          told.push(
            harm(craft, path, numbers, (from, to) => {
              if (path === JOURNAL) factsAreHurt = true;
              if (first === 0) return;
              for (const index of range(first, Math.min(first + 3, 10)))
                if (from < frameAt(index) + FRAME && to > frameAt(index)) hurt.add(index);
            }),
          );
        }
        const problem = (what: string): void => {
          problems.push(`round ${round}, ${what}, after ${told.join('; ')}`);
        };
        const before = await verifyOn(machine.opener(), { directory: DIRECTORY });
        const report = await repairOn(machine.opener(), { directory: DIRECTORY });
        if (!report.ok) problem(`not ok: ${JSON.stringify(report.findings)}`);
        const whole = JSON.stringify(files(machine));
        const again = await repairOn(machine.opener(), { directory: DIRECTORY });
        if (!again.ok) problem(`the second repair is not ok: ${JSON.stringify(again.findings)}`);
        if (JSON.stringify(files(machine)) !== whole) problem('a second repair changed something');
        if (before.ok && report.findings.some(({ severity }) => severity !== 'note'))
          problem('repair saw more than verify');
        const store = await open(machine);
        for (const index of range(1, 10)) {
          const found = text(await store.read(index));
          const isThere = found === payload(index);
          if (found !== undefined && !isThere) problem(`${index} is '${found}'`);
          if (isThere && DELETED.includes(index) && !factsAreHurt)
            problem(`${index} was deleted and is there`);
          if (!isThere && !hurt.has(index) && !DELETED.includes(index)) problem(`${index} is not there`);
        }
        await store.write(Buffer.from('next'));
        await store.close();
        const last = await verifyOn(machine.opener(), { directory: DIRECTORY });
        if (!last.ok) problem(`not verified in the end: ${JSON.stringify(last.findings)}`);
        for (const odd of checkDirectoryOn(machine.opener(), DIRECTORY)) problem(odd);
      }
      t.same(problems, []);
    },
  );
}

import { PassThrough, Readable } from 'node:stream';
import fc from 'fast-check';
import t from 'tap';
import { holding } from '../../src/cli/holding.js';
import { indexesOf } from '../../src/cli/index-ranges.js';
import { inputLines } from '../../src/cli/input-lines.js';
import { Output, OutputClosed } from '../../src/cli/output.js';
import { paintOn } from '../../src/cli/paint.js';
import { Progress } from '../../src/cli/progress.js';
import { table } from '../../src/cli/table.js';
import { onOneLine, textOf } from '../../src/cli/text.js';
import { until } from '../support/until.js';

const never = new AbortController().signal;

t.test('lines, however their bytes arrive', async (t) => {
  const piece = fc.oneof(fc.constantFrom('\n', '\r\n', '\r', '\u2028', 'ü'), fc.string({ maxLength: 5 }));
  const bytes = fc.array(piece).map((parts) => Buffer.from(parts.join('')));
  await fc.assert(
    fc.asyncProperty(bytes, fc.array(fc.nat(50)), async (all, cuts) => {
      const at = [...new Set([0, ...cuts.filter((cut) => cut < all.length), all.length])].sort(
        (a, b) => a - b,
      );
      const chunks = at.slice(1).map((to, n) => all.subarray(at[n], to));
      const lines: string[] = [];
      for await (const some of inputLines(Readable.from(chunks), never))
        lines.push(...some.map((line) => line.toString()));
      const expected = all.toString().split('\n');
      if (expected.at(-1) === '') expected.pop();
      t.strictSame(lines, expected);
    }),
    { numRuns: 200 },
  );
});

t.test('indexes of ranges, as far as there are any, so many at a time', async (t) => {
  const ranges = [
    { from: 1, to: 4 },
    { from: 7, to: 7 },
    { from: 9, to: Number.MAX_SAFE_INTEGER },
  ];
  t.same(
    [...indexesOf(ranges, { first: 3, end: 12 }, 2)],
    [
      [3, 4],
      [7, 9],
      [10, 11],
    ],
  );
  t.same(
    [...indexesOf(ranges, { first: 3, end: 12 }, 3)],
    [
      [3, 4, 7],
      [9, 10, 11],
    ],
  );
  t.same([...indexesOf(ranges, { first: 20, end: 20 }, 3)], []);
});

t.test('a line without an end is refused before it fills the memory', async (t) => {
  const chunk = Buffer.alloc(1024 * 1024, 'x');
  let given = 0;
  async function* endless(): AsyncGenerator<Buffer> {
    for (; ; given++) yield chunk;
  }
  const lines = inputLines(Readable.from(endless()), never);
  await t.rejects(lines.next(), { code: 'RECORD_TOO_LARGE' });
  t.ok(given < 100);
});

t.test('claims are held as long as the work takes, and no longer', async (t) => {
  let extended = 0;
  const delivery = {
    async extend(leaseMs?: number) {
      t.equal(leaseMs, 30);
      extended += 1;
      throw new Error('not told here');
    },
  };
  await holding([delivery], 30, async () => {
    await until('it was extended more than once', () => extended > 1);
  });
  const before = extended;
  await t.rejects(
    holding([delivery], 3_000_000, () => Promise.reject(new Error('work'))),
    { message: 'work' },
  );
  t.equal(extended, before);
});

/** A stream that stands for standard output or standard error. */
function terminal(stream: PassThrough, isTTY = true, depth = 8): NodeJS.WriteStream {
  return Object.assign(stream, {
    isTTY,
    columns: 80,
    getColorDepth: () => depth,
  }) as unknown as NodeJS.WriteStream;
}

t.test('output waits for its reader', async (t) => {
  const stream = new PassThrough({ highWaterMark: 10 });
  const out = new Output(terminal(stream), never);
  await out.put('short');
  let room = false;
  const waiting = out.put('longer than that').then(() => {
    room = true;
  });
  await new Promise(setImmediate);
  t.notOk(room, 'as long as nobody reads');
  stream.resume();
  await waiting;
  await out.handOver();
});

t.test('output that fails, and output that is interrupted', async (t) => {
  const closed = new PassThrough({ highWaterMark: 1 });
  const out = new Output(terminal(closed), never);
  const waiting = out.put('nobody takes it');
  closed.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
  await t.rejects(waiting, OutputClosed);
  await t.rejects(out.put('more'), OutputClosed);
  await t.rejects(out.handOver(), OutputClosed);

  const full = new PassThrough({ highWaterMark: 1 });
  const failing = new Output(terminal(full), never);
  const held = t.rejects(failing.handOver(), { code: 'ENOSPC' });
  full.destroy(Object.assign(new Error('no space'), { code: 'ENOSPC' }));
  await held;
  await t.rejects(failing.put('more'), { code: 'ENOSPC' });

  const controller = new AbortController();
  const interrupted = new Output(terminal(new PassThrough({ highWaterMark: 1 })), controller.signal);
  const stuck = interrupted.put('nobody takes it');
  const reason = new Error('interrupted');
  controller.abort(reason);
  await t.rejects(stuck, reason);
});

t.test('a bar is shown on a terminal, and taken off again; nothing anywhere else', async (t) => {
  for (const isTTY of [true, false]) {
    const stream = new PassThrough();
    const progress = new Progress('reading {bar} {percentage}%', terminal(stream, isTTY));
    progress.update(1, 4);
    progress.update(2, 4);
    progress.update(4, 4);
    progress.end();
    const shown = String(stream.read() ?? '');
    if (isTTY) t.match(shown, /reading .*25%/);
    else t.equal(shown, '');
  }
  const nothing = new PassThrough();
  const none = new Progress(undefined, terminal(nothing));
  none.update(1, 1);
  none.end();
  t.equal(nothing.read(), null);
});

t.test('tables have no rules, no trailing blanks, and colours where they are wanted', async (t) => {
  const columns = [{ name: 'NAME' }, { name: 'BYTES', align: 'right' }, { name: '' }] as const;
  const rows = [
    ['a', '1', 'x'],
    ['longer', '1,000', ''],
  ];
  // Whoever runs the tests may have said what he wants.
  delete process.env['FORCE_COLOR'];
  delete process.env['NO_COLOR'];
  const plain = paintOn(terminal(new PassThrough(), true, 1));
  t.equal(table(columns, rows, plain), 'NAME    BYTES\na           1  x\nlonger  1,000');
  t.ok(table(columns, rows, paintOn(terminal(new PassThrough()))).startsWith('\u001b[1mNAME\u001b[22m'));
});

t.test('text', async (t) => {
  t.equal(textOf(Buffer.from('\ufeffü')), '\ufeffü', 'a mark at the beginning is kept');
  t.equal(textOf(Buffer.from([0xc3])), undefined);
  t.equal(textOf(Buffer.from([0xed, 0xa0, 0x80])), undefined, 'half a surrogate pair is no text');
  t.equal(onOneLine('a\\b"\n\r\t\u007f\u0085\u2028🌲'), 'a\\b"\\n\\r\\t\\u007f\\u0085\\u2028🌲');
});

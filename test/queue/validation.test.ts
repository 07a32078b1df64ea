import t from 'tap';
import { InvalidValueError } from '../../src/errors.js';
import { openQueue } from '../../src/memory/mod.js';
import type { Queue } from '../../src/queue/contract.js';
import { heldSchema, orderByArkType, orderByValibot, orderByZod, schemaOf } from './schemas.js';
import { settle } from './settle.js';

const MAKERS = { zod: orderByZod, valibot: orderByValibot, arktype: orderByArkType } as const;

/** As somebody writes who has no types. */
const any = <T>(value: unknown): T => value as T;

const texts = schemaOf<string>((value) =>
  typeof value === 'string' ? { value } : { issues: [{ message: 'no text' }] },
);

/** What was written, by whatever way. */
async function written(queue: Queue<unknown>): Promise<string[]> {
  const all: string[] = [];
  for await (const { data } of queue.store.entries()) all.push(Buffer.from(data).toString());
  return all;
}

for (const [maker, schema] of Object.entries(MAKERS)) {
  t.test(`a schema by ${maker}`, async (t) => {
    const queue = await openQueue({ schema });
    t.equal(await queue.enqueue({ id: 1, lines: [{ article: 'a', count: 2 }], note: 'n' }), 1);
    t.equal(await queue.enqueue(any({ id: '2', lines: [] })), 2);
    t.same(
      await written(queue),
      ['{"id":1,"lines":[{"article":"a","count":2}],"note":"n"}', '{"id":2,"lines":[],"note":""}'].map(
        (text) => JSON.stringify(JSON.parse(text)),
      ),
      'what it returns is stored',
    );
    const wrong = {
      id: 3,
      lines: [
        { article: 'a', count: 1 },
        { article: 5, count: 1 },
      ],
      note: '',
    };
    const error = await queue.enqueue(any(wrong)).catch((reason: unknown) => reason);
    t.ok(error instanceof InvalidValueError);
    t.match(error, {
      code: 'INVALID_VALUE',
      name: 'InvalidValueError',
      position: undefined,
      index: undefined,
    });
    t.match(error, {
      message: /^the value fails the queue's schema: lines\[1\]\.article: .*\. Nothing was written/,
    });
    t.equal((error as InvalidValueError).issues.length, 1);
    const good = { id: 4, lines: [], note: '' };
    await t.rejects(queue.enqueueMany([good, good, any(wrong), any(null)]), {
      code: 'INVALID_VALUE',
      position: 2,
      message: /^value 2 of the batch fails the queue's schema: lines\[1\]\.article: /,
    });
    t.same(await queue.store.nextIndex(), 3, 'nothing was written');
    t.same(await queue.enqueueMany([good, good]), [3, 4]);
    t.same(await queue.enqueueMany([]), []);
    await queue.close();
  });
}

t.test('the message names path and message of the first issues, and the error has all', async (t) => {
  const key = Symbol('hidden');
  const issues = [
    { message: 'too short', path: ['customer', { key: 'first name' }, 0] },
    { message: 'is missing', path: [key] },
    { message: 'as a whole' },
    { message: 'a fourth', path: [] },
    { message: 'a fifth', path: ['$x_1', { key: 2 }] },
  ];
  const queue = await openQueue({ schema: schemaOf<string>(() => ({ issues })) });
  await t.rejects(queue.enqueue('x'), {
    issues,
    message:
      'the value fails the queue\'s schema: customer["first name"][0]: too short; [Symbol(hidden)]: is missing; ' +
      'as a whole; and 2 more. Nothing was written: correct it',
  });
  await queue.close();
});

t.test('a schema that throws, rejects, or answers nonsense: INVALID_VALUE, with the cause', async (t) => {
  const cause = new TypeError('no such table');
  const schemas = {
    throws: schemaOf<string>(() => {
      throw cause;
    }),
    rejects: schemaOf<string>(() => Promise.reject(cause)),
  };
  for (const [what, schema] of Object.entries(schemas)) {
    const queue = await openQueue({ schema });
    const rejected = { code: 'INVALID_VALUE', cause, message: /the schema threw: no such table/ };
    await t.rejects(queue.enqueue('x'), rejected, what);
    await t.rejects(queue.enqueueMany(['x', 'y']), { ...rejected, position: 0 }, what);
    t.equal(await queue.store.nextIndex(), 1);
    await queue.close();
  }
  for (const answer of [undefined, null, 'fine', Promise.resolve(true)]) {
    const queue = await openQueue({ schema: schemaOf<string>(() => any(answer)) });
    await t.rejects(queue.enqueue('x'), { code: 'INVALID_VALUE', cause: TypeError });
    await queue.close();
  }
  const odd = await openQueue({ schema: schemaOf<string>(() => any({ issues: 'many' })) });
  await t.rejects(odd.enqueue('x'), { code: 'INVALID_VALUE', issues: [] });
  await odd.close();
});

t.test('a schema that answers at once costs no turn: the calls of a tick keep their order', async (t) => {
  const queue = await openQueue({ schema: texts });
  const calls = [
    queue.enqueue('a'),
    queue.store.write(Buffer.from('"b"')),
    queue.enqueueMany(['c', 'd']),
    queue.store.write(Buffer.from('"e"')),
    queue.enqueue('f'),
  ];
  t.same(await Promise.all(calls), [1, 2, [3, 4], 5, 6]);
  await queue.close();
});

t.test('a refused call harms none of the same tick', async (t) => {
  const queue = await openQueue({ schema: texts });
  const calls = [
    queue.enqueue('a'),
    queue.enqueue(any(1)),
    queue.enqueueMany(['b', any(2)]),
    queue.enqueue('c'),
  ];
  t.match(await Promise.allSettled(calls), [
    { value: 1 },
    { reason: { code: 'INVALID_VALUE' } },
    { reason: { code: 'INVALID_VALUE', position: 1 } },
    { value: 2 },
  ]);
  t.same(await queue.flush(), ['a', 'c']);
  await queue.close();
});

t.test(
  'an asynchronous schema is awaited, and calls keep their order whichever is checked first',
  async (t) => {
    const { schema, held } = heldSchema();
    const queue = await openQueue({ schema });
    const calls = [
      queue.enqueue('a'),
      queue.enqueueMany(['b', 'c']),
      queue.enqueue('refused'),
      queue.enqueue('d', { signal: new AbortController().signal }),
      queue.enqueue('e'),
    ];
    t.same(
      held.map(({ value }) => value),
      ['a', 'b', 'c', 'refused', 'd', 'e'],
      'all are checked at once',
    );
    for (const one of held.slice(1).reverse()) {
      if (one.value === 'refused') one.refuse('not that');
      else one.accept();
    }
    await settle();
    t.equal(await queue.store.length(), 0, 'all wait for the first');
    held[0]?.accept();
    t.match(await Promise.allSettled(calls), [
      { value: 1 },
      { value: [2, 3] },
      { reason: { code: 'INVALID_VALUE' } },
      { value: 4 },
      { value: 5 },
    ]);
    t.same(await queue.flush(), ['A', 'B', 'C', 'D', 'E']);
    await queue.close();
  },
);

t.test('a value that is checked at once waits for those before it that are not', async (t) => {
  let answer: (() => void) | undefined;
  const schema = schemaOf<string>((value) =>
    value === 'slow'
      ? new Promise((resolve) => {
          answer = () => resolve({ value: 'slow' });
        })
      : { value: String(value) },
  );
  const queue = await openQueue({ schema });
  const other = await openQueue({ schema });
  const slow = queue.enqueue('slow', { signal: new AbortController().signal });
  const quick = queue.enqueue('quick');
  t.equal(await other.enqueue('elsewhere'), 1, 'another queue does not');
  answer?.();
  // In the very turn in which the slow one goes on.
  await Promise.resolve();
  await Promise.resolve();
  const next = queue.enqueue('next');
  t.same(await Promise.all([slow, quick, next]), [1, 2, 3]);
  t.same(await queue.flush(), ['slow', 'quick', 'next']);
  const later = [queue.enqueue('at once'), queue.store.write(Buffer.from('"b"'))];
  t.same(await Promise.all(later), [4, 5], 'and costs no turn where none waits');
  await queue.close();
  await other.close();
});

t.test('an aborted call is not waited for by itself or by others, and writes nothing', async (t) => {
  const { schema, held } = heldSchema();
  const queue = await openQueue({ schema });
  const abort = new AbortController();
  const reason = new Error('enough');
  const first = queue.enqueue('first', { signal: abort.signal });
  const second = queue.enqueue('second');
  abort.abort(reason);
  await t.rejects(first, reason);
  await t.rejects(queue.enqueue('third', { signal: abort.signal }), reason);
  for (const one of held) one.accept();
  t.equal(await second, 1);
  t.same(await queue.flush(), ['SECOND']);
  await queue.close();
});

t.test('who is checked while the queue closes gets CLOSED', async (t) => {
  const { schema, held } = heldSchema();
  const queue = await openQueue({ schema });
  const late = queue.enqueue('late');
  await queue.close();
  held[0]?.accept();
  await t.rejects(late, { code: 'CLOSED' });
});

t.test('without validateOnRead nothing is checked on the way out', async (t) => {
  let asked = 0;
  const schema = schemaOf<string>((value) => {
    asked += 1;
    return { value: String(value) };
  });
  const queue = await openQueue({ schema });
  await queue.enqueueMany(['a', 'b', 'c']);
  t.equal(asked, 3);
  t.same(
    [await queue.peek(), await queue.read(2), await queue.dequeue(), await queue.flush()],
    ['a', 'b', 'a', ['b', 'c']],
  );
  t.equal(asked, 3);
  await queue.close();
});

t.test('validateOnRead gives out what the schema returns', async (t) => {
  const directory = '/validation-coerced';
  const old = await openQueue({ directory });
  await old.enqueueMany([
    { id: '1', lines: [] },
    { id: '2', lines: [] },
    { id: '3', lines: [] },
    { id: '4', lines: [] },
  ]);
  const queue = await openQueue({ directory, schema: orderByZod, validateOnRead: true });
  const order = (id: number): object => ({ id, lines: [], note: '' });
  t.same(await queue.peek(), order(1));
  t.same(await queue.peekMany(2), [order(1), order(2)]);
  t.same(await queue.read(3), order(3));
  t.same(await queue.dequeue(), order(1));
  const delivery = await queue.claim();
  t.same(delivery?.value, order(2));
  await delivery?.ack();
  t.same(await queue.dequeueMany(1), [order(3)]);
  t.same(await queue.flush(), [order(4)]);
  await queue.close();
  await old.close();
});

t.test('a stored value that fails is one that cannot be decoded', async (t) => {
  const directory = '/validation-failing';
  const old = await openQueue<unknown>({ directory });
  await old.enqueueMany(['fine', 7, 'fine again']);
  const queue = await openQueue({ directory, schema: texts, validateOnRead: true });
  t.same(await queue.dequeueMany(3), ['fine'], 'what stands before it is had');
  const refused = {
    code: 'INVALID_VALUE',
    index: 2,
    issues: [{ message: 'no text' }],
    message: "the value of record 2 fails the queue's schema: no text. It stays where it is: delete it",
  };
  await t.rejects(queue.dequeue(), refused);
  await t.rejects(queue.dequeueMany(5), refused);
  await t.rejects(queue.flush(), refused);
  await t.rejects(queue.peek(), refused);
  await t.rejects(queue.read(2), refused);
  t.equal(await queue.read(3), 'fine again');
  t.equal(await queue.length(), 2, 'it stays');
  await t.rejects(queue.claim(), refused);
  t.equal(await queue.length(), 2);
  t.equal((await old.claim())?.attempt, 2, 'a claim counted as an attempt');
  t.equal(await queue.delete(2), 1);
  t.equal(await queue.dequeue(), 'fine again');
  await queue.close();
  await old.close();
});

t.test(
  'a stored value that fails at its last attempt is among the dead letters, where it can be looked at',
  async (t) => {
    const directory = '/validation-dead';
    const old = await openQueue<unknown>({ directory });
    await old.enqueueMany([7, 'fine']);
    const queue = await openQueue({ directory, schema: texts, validateOnRead: true, maxAttempts: 2 });
    const refused = { code: 'INVALID_VALUE', index: 1, issues: [{ message: 'no text' }] };
    await t.rejects(queue.claim(), { ...refused, message: /It stays where it is/ });
    await t.rejects(queue.claim(), {
      ...refused,
      message: /claimed 2 times and is among the dead letters now/,
    });
    t.equal((await queue.claim())?.value, 'fine', 'it stands in nobody’s way');
    for await (const letter of queue.deadLetters.list()) {
      t.match(letter, {
        index: 1,
        attempts: 2,
        reason: /the value of record 1 fails the queue's schema: no text/,
      });
      t.equal(letter.value(), 7);
    }
    t.equal(await queue.deadLetters.length(), 1);
    await queue.close();
    await old.close();
  },
);

t.test('validateOnRead needs a schema that answers at once', async (t) => {
  const directory = '/validation-async';
  const old = await openQueue({ directory });
  await old.enqueue('a');
  const schema = schemaOf<string>(async (value) => ({ value: String(value) }));
  const queue = await openQueue({ directory, schema, validateOnRead: true });
  t.equal(await queue.enqueue('b'), 2, 'on the way in it may take its time');
  const refused = { code: 'UNSUPPORTED', message: /validateOnRead needs a schema that answers at once/ };
  for (const call of ['dequeue', 'claim', 'peek', 'flush'] as const)
    await t.rejects(async () => void (await queue[call]()), refused, call);
  await t.rejects(queue.read(1), refused);
  t.same(await old.flush(), ['a', 'b'], 'nothing was taken');
  await queue.close();
  await old.close();
});

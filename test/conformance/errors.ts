import { DurostoreError } from '../../src/mod.js';
import { suite } from './suite.js';
import { bytes, untyped } from './values.js';

export const errors = suite('errors', (test) => {
  test('asynchronous methods reject, they never throw, whatever they are given', async (t, place) => {
    const queue = await place.openQueue();
    const wrong = untyped<never>(Symbol('wrong'));
    const calls: readonly [what: string, call: () => unknown][] = [
      ['enqueueMany', () => queue.enqueueMany(wrong)],
      ['dequeue', () => queue.dequeue(wrong)],
      ['dequeueMany', () => queue.dequeueMany(wrong)],
      ['claim', () => queue.claim(wrong)],
      ['claimMany', () => queue.claimMany(wrong)],
      ['peekMany', () => queue.peekMany(wrong)],
      ['read', () => queue.read(wrong)],
      ['delete', () => queue.delete(wrong)],
      ['store.write', () => queue.store.write(wrong)],
      ['store.writeMany', () => queue.store.writeMany(wrong)],
      ['store.read', () => queue.store.read(wrong)],
      ['store.entry', () => queue.store.entry(wrong)],
      ['store.entries', () => queue.store.entries(wrong).next()],
      ['store.delete', () => queue.store.delete(wrong)],
      ['store.prune', () => queue.store.prune(wrong)],
      ['openStore', () => place.engine.openStore(wrong)],
      ['openQueue', () => place.engine.openQueue(wrong)],
    ];
    for (const [what, call] of calls) {
      const answer = call();
      t.ok(answer instanceof Promise, what);
      await t.rejects(answer as Promise<unknown>, { code: 'INVALID_OPTION' }, what);
    }
    t.equal(await queue.store.nextIndex(), 1);
  });

  test('every error is a DurostoreError with a code, and says what to do', async (t, place) => {
    const queue = await place.openQueue<unknown>({ maxFileSize: 512, maxFiles: 1 });
    const provoked = [
      () => queue.enqueueMany(untyped(1)),
      () => queue.enqueue(10n),
      () => queue.enqueue('x'.repeat(1000)),
      async () => {
        for (let n = 0; n < 20; n++) await queue.enqueue('x'.repeat(100));
      },
      async () => {
        await queue.close();
        await queue.length();
      },
    ];
    const codes: string[] = [];
    for (const call of provoked) {
      const error: unknown = await call().then(
        () => undefined,
        (reason: unknown) => reason,
      );
      t.ok(error instanceof DurostoreError && error instanceof Error);
      if (!(error instanceof DurostoreError)) continue;
      codes.push(error.code);
      t.ok(error.message.length > 20, error.message);
    }
    t.same(codes, ['INVALID_OPTION', 'CODEC', 'RECORD_TOO_LARGE', 'STORE_FULL', 'CLOSED']);
    const store = await place.openStore({ filePrefix: 'other' });
    t.equal(await store.write(bytes('x')), 1);
  });
});

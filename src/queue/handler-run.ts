import type { Clock } from '../clock.js';
import { DurostoreError } from '../errors.js';
import type { Delivery } from './delivery.js';
import { HandedDelivery } from './handed-delivery.js';
import { LeaseRenewal } from './lease-renewal.js';

/** Under what terms a message is handled. */
export interface RunTerms {
  readonly clock: Clock;
  readonly leaseMs: number;
  /** What `extend` means without a length. */
  readonly queueLeaseMs: number;
  /** Infinite for none. */
  readonly timeoutMs: number;
  /** Hears what cannot be told to the handler. */
  error(error: unknown): void;
}

/** Done: the message is gone, and its handler threw nothing. Anything else has failed. */
export type RunEnd = 'done' | 'failed';

type Ending = { readonly how: 'returned' | 'timed out' } | { readonly how: 'threw'; readonly reason: string };

/**
 * Hands a message to `handler`, at once and under a lease that is renewed, and settles it by how that ends, unless the
 * handler did so itself. Never rejects. Resolves when the message is settled; a handler that has timed out may go on.
 */
export async function runHandler<T>(
  handler: (delivery: Delivery<T>) => unknown,
  delivery: Delivery<T>,
  terms: RunTerms,
): Promise<RunEnd> {
  const renewal = new LeaseRenewal(delivery, terms.clock, terms.leaseMs, terms.error);
  const handed = new HandedDelivery(delivery, {
    settled: () => renewal.stop(),
    extended: (leaseMs) => renewal.extended(leaseMs ?? terms.queueLeaseMs),
  });
  const ending = await endingOf(handler, handed, terms);
  renewal.stop();
  try {
    const fate = await handed.fate();
    if (fate === undefined) return await settle(delivery, ending, terms);
    return fate === 'acknowledged' && ending.how !== 'threw' ? 'done' : 'failed';
  } catch (error) {
    // The handler wanted to settle it, and could not: neither is it done.
    return await settle(delivery, { how: 'threw', reason: reasonOf(error) }, terms);
  } finally {
    // Not before: whose lease turns out to be lost is told by the signal, too.
    handed.release();
  }
}

async function endingOf<T>(
  handler: (delivery: Delivery<T>) => unknown,
  handed: HandedDelivery<T>,
  { clock, timeoutMs }: RunTerms,
): Promise<Ending> {
  let cancelTimer: (() => void) | undefined;
  const timeOut = new Promise<Ending>((resolve) => {
    if (timeoutMs === Number.POSITIVE_INFINITY) return;
    cancelTimer = clock.setTimer(clock.monotonic() + timeoutMs, () => {
      handed.takeAway(new DOMException(timedOut(timeoutMs), 'TimeoutError'));
      resolve({ how: 'timed out' });
    });
  });
  try {
    return await Promise.race([callHandler(handler, handed), timeOut]);
  } finally {
    cancelTimer?.();
  }
}

async function callHandler<T>(
  handler: (delivery: Delivery<T>) => unknown,
  handed: HandedDelivery<T>,
): Promise<Ending> {
  try {
    await handler(handed);
    return { how: 'returned' };
  } catch (error) {
    return { how: 'threw', reason: reasonOf(error) };
  }
}

async function settle<T>(delivery: Delivery<T>, ending: Ending, terms: RunTerms): Promise<RunEnd> {
  try {
    if (ending.how === 'returned') {
      await delivery.ack();
      return 'done';
    }
    const reason = ending.how === 'threw' ? ending.reason : timedOut(terms.timeoutMs);
    await delivery.nack({ reason });
  } catch (error) {
    if (!(await isGone(delivery, error))) terms.error(error);
  }
  return 'failed';
}

/**
 * Whether a message could not be given back because it was deleted or cancelled, which is what its handler's end is about,
 * and no error. `ack` resolves then, and is LEASE_LOST where the lease was lost.
 */
async function isGone(delivery: Delivery<unknown>, error: unknown): Promise<boolean> {
  if (!(error instanceof DurostoreError) || error.code !== 'LEASE_LOST') return false;
  return delivery.ack().then(
    () => true,
    () => false,
  );
}

const timedOut = (timeoutMs: number): string => `timed out after ${timeoutMs} ms`;

/** What is to be read with a message that failed. Anything can be thrown, also what has no text. */
function reasonOf(thrown: unknown): string {
  try {
    if (thrown instanceof Error) return thrown.message === '' ? thrown.name : thrown.message;
    return String(thrown);
  } catch {
    return 'something without a text was thrown';
  }
}

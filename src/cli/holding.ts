import type { Delivery } from '../mod.js';

/** Does `work` with claims that last as long as it does: whoever takes the output may take his time. */
export async function holding(
  deliveries: readonly Pick<Delivery<unknown>, 'extend'>[],
  leaseMs: number,
  work: () => Promise<void>,
): Promise<void> {
  // A lease that is lost all the same is told by `ack`.
  const extend = (): void => void Promise.allSettled(deliveries.map((delivery) => delivery.extend(leaseMs)));
  const timer = setInterval(extend, leaseMs / 3);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
}

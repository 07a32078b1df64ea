import { setTimeout as sleep } from 'node:timers/promises';

/** Lets so many milliseconds pass: between the blows of a soak, never in place of a condition to wait for. */
export const pause = (ms: number): Promise<void> => sleep(ms);

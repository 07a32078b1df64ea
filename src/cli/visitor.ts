const LONG_MS = 366 * 24 * 3600 * 1000;

/**
 * ⚑ How often a message may be claimed, and how long its id is remembered, is the affair of the programs that it is for, and is not
 * recorded: who only looks, adds or takes by hand gives up no message and forgets no id.
 */
export const VISITOR = { maxAttempts: 2 ** 32 - 1, deduplication: { windowMs: LONG_MS } } as const;

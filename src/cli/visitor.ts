/**
 * ⚑ How often a message may be claimed is the affair of the programs that it is for, and is not recorded: who only looks, adds
 * or takes by hand gives up none.
 */
export const VISITOR = { maxAttempts: 2 ** 32 - 1 } as const;

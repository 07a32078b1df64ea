/** Suites of what is not in this version yet. */
export const pending: ReadonlySet<string> = new Set<string>([]);

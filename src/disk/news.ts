/**
 * Whether a change of the file of that name is news to who waits. Locks are none, and neither are entries: what they lead
 * to is in the data file before, whose change was news. A spool is when it becomes a data file. A name that the system does not tell may be any.
 */
export const isNews = (name: unknown): boolean =>
  !(typeof name === 'string' && (name.endsWith('.lock') || name.endsWith('.idx') || isSpool(name)));

const isSpool = (name: string): boolean => /\.spool\.[\w-]+$/.test(name);

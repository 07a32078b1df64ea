import { peer } from '../peers/all.js';
import type { Subject } from '../subject.js';
import { bareFiles } from './bare.js';
import { durostore } from './durostore.js';
import { tail } from './tail.js';

/** The subject that another process knows by its name; `bytes` is what a record has. */
export async function named(name: string, bytes: number): Promise<Subject> {
  if (name === durostore.name) return durostore;
  const tailed = tail(bytes);
  if (name === tailed.name) return tailed;
  const bare = bareFiles(bytes);
  if (name === bare.name) return bare;
  return await peer(name);
}

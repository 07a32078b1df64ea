import { versionOf } from '../packages.js';
import type { Subject } from '../subject.js';
import { betterSqlite3 } from './better-sqlite3.js';
import { bullmq } from './bullmq.js';
import { jetstream } from './jetstream.js';
import { lmdb } from './lmdb.js';
import { plainjob } from './plainjob.js';

/** A peer, by the package that makes it. */
const makers: readonly (readonly [packageName: string, make: () => Promise<Subject>])[] = [
  ['lmdb', lmdb],
  ['better-sqlite3', betterSqlite3],
  ['plainjob', plainjob],
  ['bullmq', bullmq],
  ['@nats-io/jetstream', jetstream],
];

export interface Peers {
  readonly subjects: readonly Subject[];
  /** Those that are measured, with their versions. */
  readonly versions: Readonly<Record<string, string>>;
  /** Why the others are not. */
  readonly missing: readonly string[];
}

export async function installedPeers(): Promise<Peers> {
  const subjects: Subject[] = [];
  const versions: Record<string, string> = {};
  const missing: string[] = [];
  for (const [packageName, make] of makers) {
    try {
      subjects.push(await make());
      versions[packageName] = versionOf(packageName);
    } catch (error) {
      const [reason = ''] = error instanceof Error ? error.message.split('\n') : [String(error)];
      missing.push(`${packageName}: ${reason}`);
    }
  }
  return { subjects, versions, missing };
}

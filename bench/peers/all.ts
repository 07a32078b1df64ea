import { versionOf } from '../packages.js';
import type { Subject } from '../subject.js';
import { betterSqlite3 } from './better-sqlite3.js';
import { bullmq } from './bullmq.js';
import { jetstream } from './jetstream.js';
import { lmdb, lmdbWriteMap } from './lmdb.js';
import { plainjob } from './plainjob.js';

interface Maker {
  readonly packageName: string;
  make(): Promise<Subject>;
}

/** The peers by the names of their subjects. */
const makers: ReadonlyMap<string, Maker> = new Map([
  ['lmdb', { packageName: 'lmdb', make: lmdb }],
  ['lmdb, write map', { packageName: 'lmdb', make: lmdbWriteMap }],
  ['better-sqlite3', { packageName: 'better-sqlite3', make: betterSqlite3 }],
  ['plainjob', { packageName: 'plainjob', make: plainjob }],
  ['BullMQ', { packageName: 'bullmq', make: bullmq }],
  ['JetStream', { packageName: '@nats-io/jetstream', make: jetstream }],
]);

/** The peer of that name; rejects where its package or its server is not installed. */
export async function peer(name: string): Promise<Subject> {
  const maker = makers.get(name);
  if (maker === undefined) throw new Error(`no peer is called ${name}`);
  return await maker.make();
}

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
  for (const { packageName, make } of makers.values()) {
    try {
      subjects.push(await make());
      versions[packageName] = versionOf(packageName);
    } catch (error) {
      const [reason = ''] =
        error instanceof Error ? error.message.split(/\n| imported from/) : [String(error)];
      if (!missing.some((line) => line.startsWith(`${packageName}:`)))
        missing.push(`${packageName}: ${reason}`);
    }
  }
  return { subjects, versions, missing };
}

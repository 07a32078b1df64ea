import { setImmediate as turn } from 'node:timers/promises';
import type { Disk } from '../disk/disk.js';
import { FileNames } from '../disk/file-names.js';
import { osDisk } from '../disk/os.js';
import { DurostoreError } from '../errors.js';
import { describeDiskError, describeOpeningError } from '../store/disk-errors.js';
import { type Meta, readMeta } from '../store/meta.js';
import { judge } from './judge.js';
import { type CareOptions, type ResolvedCareOptions, resolveCareOptions } from './options.js';
import { Pace } from './pace.js';
import { type Finding, isOk, type Report } from './report.js';
import { survey } from './survey.js';

/**
 * Reads a store from its first byte to its last, and reports what is not as it was written. Changes nothing, takes no lock
 * and needs no right to write; others may work in the directory meanwhile, and what they are just doing is not reported.
 *
 * Rejects with INVALID_OPTION where there is no such store, UNSUPPORTED_VERSION, STORE_FAILED where it cannot be read, or
 * `signal.reason`.
 */
export function verify(options: CareOptions): Promise<Report> {
  return verifyOn(osDisk, options);
}

/** The same on another disk: where tests put theirs. */
export async function verifyOn(disk: Disk, options: CareOptions): Promise<Report> {
  const resolved = resolveCareOptions(options);
  resolved.signal?.throwIfAborted();
  const names = new FileNames(resolved.directory, resolved.filePrefix);
  try {
    const meta = metaOf(disk, names);
    const pace = new Pace(resolved.signal, resolved.onProgress);
    const report = await look(disk, names, meta, pace);
    pace.end();
    return report;
  } catch (error) {
    throw describeCareError(error, resolved, 'reading');
  }
}

/** INVALID_OPTION where there is no store. */
export function metaOf(disk: Disk, names: FileNames): Meta {
  const meta = disk.exists(names.directory) ? readMeta(disk, names) : undefined;
  if (meta !== undefined) return meta;
  throw new DurostoreError(
    'INVALID_OPTION',
    `directory: there is no store in ${names.directory} (no ${names.meta()}). ` +
      'Give the directory and the filePrefix that it was opened with',
  );
}

export function describeCareError(
  error: unknown,
  { directory, signal }: ResolvedCareOptions,
  doing: string,
): unknown {
  if (signal?.aborted && error === signal.reason) return error;
  if ((error as { code?: unknown } | undefined)?.code === 'ENOTDIR')
    return describeOpeningError(error, directory);
  return describeDiskError(error, `${doing} ${directory}`);
}

const LOOKS = 3;

/**
 * Looks again before anything but a note is reported, and reports what every look has found: what others were just writing,
 * cutting or removing is gone or whole by then.
 */
async function look(disk: Disk, names: FileNames, meta: Meta, pace: Pace): Promise<Report> {
  let report = judge(await survey(disk, names, meta, pace));
  for (let again = 1; again < LOOKS && !report.ok; again++) {
    await turn();
    const seen = new Set(report.findings.map(nameOf));
    const next = judge(await survey(disk, names, meta, pace));
    const findings = next.findings.filter(
      (one) => one.severity === 'note' || one.repaired || seen.has(nameOf(one)),
    );
    report = { ...next, findings, ok: isOk(findings) };
  }
  return report;
}

const nameOf = ({ severity, file, position, what, indexes }: Finding): string =>
  JSON.stringify([severity, file, position, what, indexes]);

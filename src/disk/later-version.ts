import { DurostoreError } from '../errors.js';
import { FORMAT_VERSION } from './format.js';

/** What is thrown where something is whole and not of this version. Whoever finds it changes nothing. */
export const laterVersion = (path: string, what: string): DurostoreError =>
  new DurostoreError(
    'UNSUPPORTED_VERSION',
    `${path} ${what}, and this version of durostore reads version ${FORMAT_VERSION} without it. ` +
      'Nothing was changed: open it with the version that wrote it',
  );

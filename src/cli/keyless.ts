import { compress, type Transform } from '../mod.js';

/**
 * What records may have gone through that anybody can undo. For commands that read: what they write would go through it. A record
 * that is encrypted, or went through a program's own transform, is told of as such.
 */
export const KEYLESS: readonly Transform[] = [compress()];

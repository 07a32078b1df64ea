/**
 * Thrown inside a critical section: the lock was taken from this opener, which must not write any more. Nobody outside
 * sees it: the work is done again under a lock that is had anew.
 */
export class Fenced extends Error {
  override readonly name = 'Fenced';

  constructor() {
    super('the lock was taken over by another opener');
  }
}

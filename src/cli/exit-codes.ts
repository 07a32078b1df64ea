/** What the command line answers its caller. An interruption that ends work half-way is 128 and the signal's number. */
export const ExitCode = {
  fine: 0,
  /** What was looked at is not as it was written. */
  findings: 1,
  /** The call was wrong, or it could not be done. */
  failed: 2,
} as const;

/** Whether an error of the operating system says that there is no room on the disk, or none for this user. */
export function isNoRoom(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

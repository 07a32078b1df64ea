/** Closes what was opened when the work is done or has failed; the first failure is the one that counts. */
export async function closing<T extends { close(): Promise<void> }, R>(
  opened: T,
  work: (opened: T) => Promise<R>,
): Promise<R> {
  let result: R;
  try {
    result = await work(opened);
  } catch (error) {
    await opened.close().catch(() => {});
    throw error;
  }
  await opened.close();
  return result;
}

/** What the child processes tell the parent, over IPC. The work itself goes through the queue only. */
export type Message =
  | { readonly kind: 'planned'; readonly packages: number }
  | { readonly kind: 'enqueued' }
  | { readonly kind: 'claimed'; readonly path: string; readonly attempt: number }
  | { readonly kind: 'acknowledged'; readonly index: number };

/** Tells the parent. It resolves when the message is on its way, so that an exit does not swallow it. */
export function tell(message: Message): Promise<void> {
  return new Promise((resolve, reject) => {
    if (process.send === undefined) resolve();
    else process.send(message, undefined, {}, (error) => (error === null ? resolve() : reject(error)));
  });
}

/** Ends this process when the parent is gone; returns what takes leave of the parent, so that nothing holds us back. */
export function followParent(): () => void {
  const orphaned = (): never => process.exit(1);
  process.on('disconnect', orphaned);
  return () => {
    process.off('disconnect', orphaned);
    process.disconnect?.();
  };
}

/** The outbox: e-mails that are to be sent, in a directory. */
import { openQueue, type Queue } from 'durostore';

export interface Mail {
  /** What makes the mail the one it is, chosen by whoever wants it sent: an order's number, a form's token. */
  readonly id: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

export function openOutbox(directory: string): Promise<Queue<Mail>> {
  return openQueue<Mail>({
    directory,
    maxAttempts: 5,
    // Short, so that the example is over soon. For real mail servers: a minute, doubled each time.
    backoff: { initialMs: 50 },
  });
}

/**
 * When this resolves the mail is on the device, and will be sent. The same mail again, by a second click or another process,
 * is not sent twice: `id` says that it is the same. A recipient's mails go out one at a time, in this order: `key`.
 */
export function sendLater(outbox: Queue<Mail>, mail: Mail): Promise<number> {
  return outbox.enqueue(mail, { id: mail.id, key: mail.to });
}

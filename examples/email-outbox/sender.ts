/** Sends what is in the outbox. Start as many as you like, in any process that opens the same directory. */
import type { Delivery, Queue, Worker } from 'durostore';
import { createTransport } from 'nodemailer';
import type { Mail } from './outbox.js';

/** What a mail server answers to whoever may try again later, 400 to 499, and to whoever may not, 500 to 599. */
interface Refusal extends Error {
  readonly responseCode: number;
  readonly response: string;
}

function isRefusal(error: unknown): error is Refusal {
  return error instanceof Error && 'responseCode' in error && typeof error.responseCode === 'number';
}

export interface Sender {
  close(): Promise<void>;
}

/** Sends until it is closed; `onTrouble` is told of each attempt that failed. */
export function startSender(
  outbox: Queue<Mail>,
  smtpPort: number,
  onTrouble: (mail: Mail, attempt: number, answer: string) => void,
): Sender {
  const transport = createTransport({ host: '127.0.0.1', port: smtpPort });

  const send = async (delivery: Delivery<Mail>): Promise<void> => {
    const { id, ...mail } = delivery.value;
    try {
      // A sender that dies after this line and before its mail is acknowledged has it sent again. Message-ID is what mail
      // programs know a second copy by.
      await transport.sendMail({ from: 'shop@example.org', messageId: `<${id}@example.org>`, ...mail });
    } catch (error) {
      const answer = isRefusal(error) ? error.response : String(error);
      onTrouble(delivery.value, delivery.attempt, answer);
      // Refused for good: no attempt will do better. Anything else comes again, after the backoff.
      if (!isRefusal(error) || error.responseCode < 500) throw error;
      await delivery.reject(answer);
    }
  };

  const worker: Worker = outbox.process(send, { concurrency: 4 });
  return {
    async close() {
      await worker.close();
      transport.close();
    },
  };
}

/** A mail server for this example, on a free port: it keeps what it takes, and refuses what it is told to refuse. */
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';

export interface PostOffice {
  readonly port: number;
  /** The subjects of the mails that were taken, in order, by recipient. */
  readonly delivered: ReadonlyMap<string, readonly string[]>;
  /** Refuses the next so many mails to this address: "try again later". */
  keepBusy(address: string, mails: number): void;
  /** Refuses all mails to this address from now on, or takes them again. */
  close(address: string): void;
  open(address: string): void;
  end(): Promise<void>;
}

function refusal(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}

export async function startPostOffice(): Promise<PostOffice> {
  const delivered = new Map<string, string[]>();
  const busy = new Map<string, number>();
  const closed = new Set<string>();

  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    onRcptTo({ address }, _session, answer) {
      const left = busy.get(address) ?? 0;
      busy.set(address, left - 1);
      if (closed.has(address)) answer(refusal(550, 'no such mailbox'));
      else if (left > 0) answer(refusal(451, 'mailbox busy, try again later'));
      else answer();
    },
    onData(stream, { envelope }, answer) {
      void text(stream).then((mail) => {
        const [, subject = ''] = /^Subject: (.*?)\r?$/m.exec(mail) ?? [];
        for (const { address } of envelope.rcptTo) {
          const mails = delivered.get(address) ?? [];
          delivered.set(address, [...mails, subject]);
        }
        answer();
      }, answer);
    },
  });
  await new Promise<void>((resolve, reject) => {
    server.on('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.server.address() as AddressInfo).port,
    delivered,
    keepBusy: (address, mails) => void busy.set(address, mails),
    close: (address) => void closed.add(address),
    open: (address) => void closed.delete(address),
    end: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

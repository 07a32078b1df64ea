/**
 * An outbox for e-mails: what an application wants sent is in a queue, on the device, before the user gets an answer, and goes
 * out in the background. One recipient's mail server is busy at first, one address is wrong. See README.md.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Queue } from 'durostore';
import { type Mail, openOutbox, sendLater } from './outbox.js';
import { startPostOffice } from './post-office.js';
import { type Sender, startSender } from './sender.js';

const mail = (id: string, to: string, subject: string): Mail => ({
  id,
  to: `${to}@example.org`,
  subject,
  text: `Dear ${to}, …`,
});

/** Resolves when no mail is waiting, being sent, or waiting for its next attempt. */
async function settled(outbox: Queue<Mail>): Promise<void> {
  for (;;) {
    const { waiting, delayed, claimed } = await outbox.stats();
    if (waiting + delayed + claimed === 0) return;
    await sleep(20);
  }
}

const directory = await mkdtemp(join(tmpdir(), 'durostore-outbox-'));
const postOffice = await startPostOffice();
const outbox = await openOutbox(directory);
let sender: Sender | undefined;

try {
  postOffice.keepBusy('ben@example.org', 2);
  postOffice.close('dora@example.org');

  // The application: it answers its user as soon as the mail is in the outbox.
  await sendLater(outbox, mail('welcome-ada', 'ada', 'Welcome, Ada'));
  await sendLater(outbox, mail('welcome-ben', 'ben', 'Welcome, Ben'));
  await sendLater(outbox, mail('welcome-dora', 'dora', 'Welcome, Dora'));
  const first = await sendLater(outbox, mail('order-1001', 'ada', 'Your order 1001'));
  const again = await sendLater(outbox, mail('order-1001', 'ada', 'Your order 1001'));
  console.log(`clicked twice: message ${first}, and message ${again}`);
  await sendLater(outbox, mail('order-1002', 'ben', 'Your order 1002'));
  await sendLater(outbox, mail('order-1003', 'ben', 'Your order 1003'));
  await sendLater(outbox, mail('sent-1001', 'ada', 'Order 1001 is on its way'));
  console.log(`${await outbox.length()} mails in the outbox`);

  // The sender. It could as well be another process.
  const troubles: string[] = [];
  sender = startSender(outbox, postOffice.port, ({ to, subject }, attempt, answer) => {
    troubles.push(`${to}, "${subject}", attempt ${attempt}: ${answer}`);
  });
  await settled(outbox);

  console.log('\ntroubles:');
  for (const trouble of troubles.sort()) console.log(`  ${trouble}`);
  console.log('\ngiven up:');
  for await (const { index, value, reason, attempts } of outbox.deadLetters.list()) {
    console.log(`  message ${index} to ${value().to}, after ${attempts} attempt: ${reason}`);
  }

  postOffice.open('dora@example.org');
  console.log(`\nthe mailbox was made; requeued: ${await outbox.deadLetters.requeue()}`);
  await settled(outbox);

  console.log('\nsent, in order:');
  for (const [to, subjects] of [...postOffice.delivered].sort())
    console.log(`  ${to}: ${subjects.join(' · ')}`);
  console.log(`\ngiven up in the end: ${await outbox.deadLetters.length()}`);
} finally {
  await sender?.close();
  await outbox.close();
  await postOffice.end();
  await rm(directory, { recursive: true });
}

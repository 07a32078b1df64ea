/** One life of a process in a soak: does what its role says until it is told to stop, or is killed. */
import { leave, orders, untilStopped } from './child.js';
import { consume } from './soak-consumer.js';
import type { SoakOrders } from './soak-plan.js';
import { produce } from './soak-producer.js';
import { read, verifyAgainAndAgain } from './soak-reader.js';
import { Workplace } from './soak-workplace.js';

const order = orders<SoakOrders>();
const at = new Workplace(order, untilStopped());
const work = { producer: produce, consumer: consume, reader: read, verifier: verifyAgainAndAgain };
await work[order.role](at);
at.notes.close();
leave();

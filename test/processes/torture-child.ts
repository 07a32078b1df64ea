/** One life of a process in a torture of streams: does what its role says until it is told to stop, or is killed. */
import { leave, orders, untilStopped } from './child.js';
import { verifyAgainAndAgain } from './soak-reader.js';
import { Workplace } from './soak-workplace.js';
import type { TortureOrders } from './torture.js';
import { commit, follow, stream, transact } from './torture-deeds.js';

const order = orders<TortureOrders>();
const at = new Workplace(order, untilStopped());
const work = {
  transactor: transact,
  streamer: stream,
  committer: (place: Workplace) => commit(place, order.consumer),
  follower: follow,
  verifier: verifyAgainAndAgain,
};
await work[order.role](at);
at.notes.close();
leave();

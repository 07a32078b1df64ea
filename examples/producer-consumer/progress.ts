import { MultiBar, Presets } from 'cli-progress';

/** One process on the display. */
export interface Line {
  /** Sets how much there is to do. */
  total(total: number): void;
  /** One more is done. */
  step(): void;
  /** Says what became of the process. */
  note(note: string): void;
}

export interface Progress {
  line(name: string, total: number): Line;
  stop(): void;
}

/** A bar for each process. */
function bars(): Progress {
  const display = new MultiBar(
    { format: '{name} {bar} {value} of {total} {note}', hideCursor: true, clearOnComplete: false },
    Presets.shades_classic,
  );
  return {
    line(name, total) {
      const bar = display.create(total, 0, { name: name.padEnd(12), note: '' });
      return {
        total: (total) => bar.setTotal(total),
        step: () => bar.increment(),
        note: (note) => bar.update({ note }),
      };
    },
    stop: () => display.stop(),
  };
}

/** Plain lines, for where nobody watches: what happened, and once a second how far everybody is. */
function lines(): Progress {
  const states: { name: string; done: number; total: number }[] = [];
  const print = (): void => {
    console.log(states.map(({ name, done, total }) => `${name}: ${done} of ${total}`).join(' · '));
  };
  const timer = setInterval(print, 1000);
  return {
    line(name, total) {
      const state = { name, done: 0, total };
      states.push(state);
      return {
        total: (total) => {
          state.total = total;
        },
        step: () => {
          state.done++;
        },
        note: (note) => console.log(`${name}: ${note}`),
      };
    },
    stop() {
      clearInterval(timer);
      print();
    },
  };
}

/** The display: bars on a terminal, lines elsewhere. */
export function showProgress(): Progress {
  return process.stdout.isTTY ? bars() : lines();
}

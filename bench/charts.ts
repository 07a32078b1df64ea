import type { Result, Role } from './cell.js';
import { load } from './packages.js';
import { number } from './table.js';

interface Vega {
  parse(spec: object): object;
  View: new (
    runtime: object,
    options: { renderer: 'none' },
  ) => { toSVG(): Promise<string>; finalize(): void };
}

interface VegaLite {
  compile(spec: object): { spec: object };
}

const COLOURS: Readonly<Record<Role, string>> = {
  ours: '#d9480f',
  variant: '#ffa94d',
  control: '#adb5bd',
  peer: '#4c6ef5',
};
const WIDTH = 520;
const BAR = 20;
/** Beyond this ratio of the longest bar to the shortest one the shorter ones could not be told apart. */
const LINEAR_RATIO = 20;

/** Draws results as horizontal bars below each other; as SVG, which needs no browser. */
export async function chart(results: readonly Result[], sorted = true): Promise<string> {
  const vega = (await load('vega')) as Vega;
  const lite = (await load('vega-lite')) as VegaLite;
  const { spec } = lite.compile({
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    background: 'white',
    padding: 12,
    config: {
      aria: false,
      font: 'Helvetica, Arial, sans-serif',
      title: { anchor: 'start', fontSize: 13, offset: 8, subtitleFontSize: 11, subtitleColor: '#495057' },
      view: { stroke: null },
      axis: {
        labelFontSize: 11,
        titleFontSize: 11,
        titleFontWeight: 'normal',
        gridColor: '#e9ecef',
        domain: false,
        ticks: false,
      },
    },
    spacing: 28,
    vconcat: results.map((result) => bars(result, sorted)),
  });
  const view = new vega.View(vega.parse(spec), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  return `${svg}\n`;
}

function bars({ id, name, unit, contestants }: Result, sorted: boolean): object {
  const values = contestants.map(({ name: who, role, figures }) => ({
    who,
    role,
    value: Math.max(0, figures.median),
    text: number(figures.median),
  }));
  const amounts = values.map(({ value }) => value);
  const least = Math.min(...amounts);
  const most = Math.max(...amounts);
  const logarithmic = least > 0 && most / least > LINEAR_RATIO;
  const from = logarithmic ? 10 ** Math.floor(Math.log10(least / 1.5)) : 0;
  const to = logarithmic ? most * 2.2 : Math.max(most * 1.15, Number.EPSILON);
  const scale = { type: logarithmic ? 'log' : 'linear', domain: [from, to], nice: false };
  const ticks = logarithmic ? { values: ticksOf(from, to) } : { tickCount: 6 };
  const title = `${unit}${logarithmic ? ' (logarithmic)' : ''}`;
  const x = { field: 'value', type: 'quantitative', scale, axis: { title, format: '~r', ...ticks } };
  const y = {
    field: 'who',
    type: 'nominal',
    sort: sorted ? { field: 'value', order: 'ascending' } : null,
    axis: { title: null, labelLimit: 360 },
  };
  return {
    title: { text: id, subtitle: name.replaceAll('`', '') },
    width: WIDTH,
    height: { step: BAR },
    data: { values },
    encoding: { y },
    layer: [
      {
        mark: { type: 'bar', height: BAR - 6 },
        encoding: {
          x,
          x2: { datum: from },
          color: {
            field: 'role',
            type: 'nominal',
            scale: { domain: Object.keys(COLOURS), range: Object.values(COLOURS) },
            legend: null,
          },
        },
      },
      {
        mark: { type: 'text', align: 'left', dx: 4, fontSize: 11, color: '#212529' },
        encoding: { x, text: { field: 'text' } },
      },
    ],
  };
}

/** Powers of ten, and twice and five times them where there are few. */
function ticksOf(from: number, to: number): number[] {
  const decades = Math.log10(to / from);
  const steps = decades > 3.5 ? [1] : [1, 2, 5];
  const ticks: number[] = [];
  for (let power = from; power <= to; power *= 10)
    ticks.push(...steps.map((step) => Number((power * step).toPrecision(1))));
  return ticks.filter((tick) => tick <= to);
}

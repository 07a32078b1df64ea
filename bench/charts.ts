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

/** Draws results as horizontal bars below each other, the fastest on top; as SVG, which needs no browser. */
export async function chart(results: readonly Result[]): Promise<string> {
  const vega = (await load('vega')) as Vega;
  const lite = (await load('vega-lite')) as VegaLite;
  const { spec } = lite.compile({
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    background: 'white',
    padding: 12,
    config: {
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
    vconcat: results.map(bars),
  });
  const view = new vega.View(vega.parse(spec), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  return `${svg}\n`;
}

function bars({ id, name, unit, contestants }: Result): object {
  const values = contestants.map(({ name: who, role, figures }) => ({
    who,
    role,
    value: figures.median,
    least: figures.least,
    most: figures.most,
    text: number(figures.median),
  }));
  const positive = values.map(({ value }) => value).filter((value) => value > 0);
  const least = Math.min(...positive);
  const most = Math.max(...positive);
  const logarithmic = positive.length === values.length && most / least > LINEAR_RATIO;
  const from = logarithmic ? 10 ** Math.floor(Math.log10(least / 1.5)) : 0;
  const scale = logarithmic
    ? { type: 'log', domain: [from, most * 2], nice: false }
    : { domain: [0, most * 1.12], nice: false };
  const x = {
    field: 'value',
    type: 'quantitative',
    scale,
    axis: { title: `${unit}${logarithmic ? ', logarithmic' : ''}`, tickCount: 6, format: '~r' },
  };
  const y = {
    field: 'who',
    type: 'nominal',
    sort: { field: 'value', order: 'ascending' },
    axis: { title: null, labelLimit: 220 },
  };
  return {
    title: { text: id, subtitle: id === name ? '' : name },
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

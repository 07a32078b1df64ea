import { styleText } from 'node:util';

export type Style = 'bold' | 'green' | 'red';

/** Colours a text for whoever reads it. */
export type Paint = (style: Style, text: string) => string;

/** For a stream: colours only where it is a terminal that has them and wants them (NO_COLOR). */
export const paintOn =
  (stream: NodeJS.WriteStream): Paint =>
  (style, text) =>
    styleText(style, text, { stream });

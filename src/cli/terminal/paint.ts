/** Meaning of a piece of text; each has its colour. */
export type Tone = 'good' | 'poor' | 'bad' | 'faint' | 'strong';

/** Colours a text, or leaves it as it is where the output takes no colour. */
export type Paint = (tone: Tone, text: string) => string;

/** Parameters of "select graphic rendition", ECMA-48: green, yellow, red, faint, bold. */
const RENDITIONS = { good: 32, poor: 33, bad: 31, faint: 2, strong: 1 } as const;

export const createPaint = (hasColour: boolean): Paint =>
  hasColour ? (tone, text) => `\x1b[${RENDITIONS[tone]}m${text}\x1b[0m` : (_tone, text) => text;

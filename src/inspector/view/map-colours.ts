import { blockState } from '../../protocol/block-states.ts';
import { type MapColours, type Rgba, rgba } from '../model/cell-paint.ts';

/** What people call the states, with the variable of theme.ts that has the colour; in the order of the legend. */
export const blockStateWords = [
  { state: blockState.missing, word: 'missing', colour: '--block-missing' },
  { state: blockState.inFlight, word: 'in flight', colour: '--block-in-flight' },
  { state: blockState.pending, word: 'pending', colour: '--block-pending' },
  { state: blockState.damaged, word: 'damaged', colour: '--block-damaged' },
  { state: blockState.inMemory, word: 'in memory', colour: '--block-in-memory' },
  { state: blockState.present, word: 'present', colour: '--block-present' },
  { state: blockState.sealed, word: 'sealed', colour: '--block-sealed' },
] as const;

/** The theme's colours as they are for this element now, and what the canvas writes with. */
export interface MapTheme extends MapColours {
  readonly ink: string;
  readonly soft: string;
  readonly accent: string;
  readonly page: string;
  /** The same for the same colours. */
  readonly key: string;
}

export function mapTheme(element: Element): MapTheme {
  const style = getComputedStyle(element);
  const read = (name: string): string => style.getPropertyValue(name).trim();
  const page = read('--bg');
  const states = blockStateWords.map(({ colour }) => read(colour));
  const ink = read('--ink');
  return {
    background: parse(page),
    states: states.map(parse),
    mark: parse(ink),
    ink,
    soft: read('--soft'),
    accent: read('--accent'),
    page,
    key: [page, ink, ...states].join(),
  };
}

/** theme.ts writes its colours as #rgb or #rrggbb. */
function parse(colour: string): Rgba {
  const hex = colour.length === 4 ? colour.replace(/[^#]/g, '$&$&') : colour;
  const value = Number.parseInt(hex.slice(1), 16) || 0;
  return rgba(value >> 16, (value >> 8) & 255, value & 255);
}

/** Colours of a picture. They are the page's, which has them in style/theme.css; a test compares. */
export interface Palette {
  readonly paper: string;
  readonly card: string;
  readonly ink: string;
  readonly soft: string;
  readonly line: string;
  /** What the next instruction moves or changes. */
  readonly next: string;
  readonly nextBack: string;
  /** What the last instruction has changed. */
  readonly changed: string;
  readonly changedBack: string;
  readonly right: string;
  readonly wrong: string;
  /** Of coroutines, see {@link colourOf}. */
  readonly who: readonly string[];
}

/** For light and dark surroundings; a picture has its own background in both. */
export const PALETTES: Readonly<Record<'light' | 'dark', Palette>> = {
  light: {
    paper: '#f7f6f2',
    card: '#ffffff',
    ink: '#1d2433',
    soft: '#59616f',
    line: '#dcd9d0',
    next: '#8a4b00',
    nextBack: '#fdf0dc',
    changed: '#14507f',
    changedBack: '#e4eef7',
    right: '#116144',
    wrong: '#9c2f12',
    who: ['#14598f', '#a4480b', '#06684c', '#8f3f74', '#77620a', '#4a4a94'],
  },
  dark: {
    paper: '#14171d',
    card: '#1b1f27',
    ink: '#e4e6ea',
    soft: '#a3aab6',
    line: '#343a46',
    next: '#f2b566',
    nextBack: '#38290f',
    changed: '#8cc4f2',
    changedBack: '#17324a',
    right: '#62c9a0',
    wrong: '#f39a7c',
    who: ['#74b6ea', '#f0a068', '#5fcaa3', '#e09bc6', '#d8c25c', '#aeb0f0'],
  },
};

/** Which of the colours is a coroutine's; main has one to itself. Its name is always beside it. */
export function colourOf(id: number): number {
  const others = PALETTES.light.who.length - 1;
  return id === 0 ? 0 : ((id - 1) % others) + 1;
}

import type { CodeRow } from '../view/code.js';
import type { Scene } from '../view/scene.js';
import { WORDS, type Words } from '../web/words.js';
import { board } from './board.js';
import { box, COLUMN, type Drawing, MARGIN, text, together, WIDTH } from './drawing.js';
import { footer, HEIGHT, listed, listing, stack } from './lower.js';
import { PALETTES } from './palette.js';
import { style } from './style.js';
import { endingLines, stackText, travelText } from './telling.js';
import { escaped, fitted } from './text.js';

/** What a picture is like. */
export interface PictureOptions {
  /** Of which run it is; a program's name. */
  readonly program: string;
  /** Its own colours, whatever it is put on; light if nothing is said. */
  readonly colours?: keyof typeof PALETTES;
  /** In which language it speaks; English if nothing is said. */
  readonly words?: Words;
}

/**
 * A moment of a run as one SVG: the next instruction, the registers between both coroutines' contexts, their stacks, the
 * ready queue. It needs nothing from elsewhere, and says the same in words.
 */
export function picture(scene: Scene, options: PictureOptions): string {
  const words = options.words ?? WORDS.en;
  const { under, over } = momentDrawing(scene, listed(scene), options);
  const title = heading(scene, options.program, words);
  return svg([...under, ...over], title, telling(scene, words), style(PALETTES[options.colours ?? 'light']));
}

/** `ping-pong.s   moment 78   coroutine 1 runs` */
function heading({ view }: Scene, program: string, words: Words): string {
  const runs = view.running === undefined ? '' : `   ${words.runs(words.coroutine(view.running))}`;
  return `${program}   ${words.moment} ${view.moment}${runs}`;
}

/** All that is seen of a moment. @param rows of the listing */
export function momentDrawing(
  scene: Scene,
  rows: readonly CodeRow[],
  { program, words = WORDS.en }: PictureOptions,
): Drawing {
  const ending = scene.ending === undefined ? [] : endingLines(scene.ending, words);
  const title = fitted(heading(scene, program, words), Math.floor((WIDTH - 2 * MARGIN) / (COLUMN * 1.25)));
  return together(
    { under: [box(0, 0, WIDTH, HEIGHT, 'p', 8)], over: [text(MARGIN, 31, title, 'h')] },
    board(scene, words),
    ...scene.parties.map((party, side) => stack(party.stack, side, words)),
    listing(scene, rows, words),
    footer(scene, ending, words),
  );
}

/** A moment in words. */
function telling(scene: Scene, words: Words): string {
  const { view, parties, ending } = scene;
  const { ready } = view.coroutines;
  return [
    instructionText(scene),
    travelText(scene, words, false),
    ...parties.map((party) => stackText(party.stack, words)),
    `${words.ready}: ${ready.length === 0 ? words.nobody : ready.map(words.coroutine).join(', ')}.`,
    ...(ending === undefined ? [] : [`${words.ended}.`, ...endingLines(ending, words)]),
  ].join(' ');
}

/** Where it is, and what comes next there. */
export function instructionText({ view: { code } }: Scene): string {
  return `${code.place}: ${code.next?.text ?? '—'}.`;
}

/** A whole SVG file. @param marks that are drawn, in their order */
export function svg(marks: readonly string[], title: string, description: string, rules: string): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<desc>${escaped(description)}</desc>`,
    `<style>${rules}</style>`,
    ...marks,
    '</svg>',
    '',
  ].join('\n');
}

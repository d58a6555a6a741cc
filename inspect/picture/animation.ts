import { hex } from '../names.js';
import type { Scene } from '../view/scene.js';
import { WORDS } from '../web/words.js';
import { type Flight, flightsOf } from './board.js';
import { box, COLUMN, short, text } from './drawing.js';
import { listed, rowKey } from './lower.js';
import { PALETTES } from './palette.js';
import { instructionText, momentDrawing, type PictureOptions, svg } from './picture.js';
import { style } from './style.js';
import { travelText } from './telling.js';

/** Seconds that a moment is seen; the last one is seen for so many times as long. */
const SECONDS = 1.6;
const LAST = 2;
/** Within a moment: when its values set out, and when they arrive. */
const LEAVES = 0.25;
const ARRIVES = 0.8;

/**
 * Moments of a run one after the other, as one SVG that begins anew at its end. What several moments have in common is in
 * it once. Values travel. Whoever wants no movement (`prefers-reduced-motion`) sees the first moment.
 * @param scenes one or more
 */
export function animation(scenes: readonly Scene[], options: PictureOptions): string {
  const words = options.words ?? WORDS.en;
  let top: string | undefined;
  const drawings = scenes.map((scene) => {
    const rows = listed(scene, top);
    top = rows.length === 0 ? undefined : rowKey(rows[0]);
    return momentDrawing(scene, rows, options);
  });
  const film = new Film(scenes.length);
  const marks = [
    ...film.layer(drawings.map(({ under }) => under)),
    ...film.layer(drawings.map(({ over }) => over)),
    ...scenes.flatMap((scene, index) => flightsOf(scene).map((flight) => film.flight(flight, index))),
  ];
  const [first, last] = [scenes[0].view.moment, scenes[scenes.length - 1].view.moment];
  const told = scenes.map((scene) => {
    const [{ moment }, parts] = [scene.view, [instructionText(scene), travelText(scene, words, false)]];
    return `${words.moment} ${moment}: ${parts.join(' ')}`;
  });
  const rules = `${style(PALETTES[options.colours ?? 'light'])}\n${film.rules()}`;
  return svg(marks, `${options.program}   ${words.moments(first, last)}`, told.join('\n'), rules);
}

/** Which mark is seen when, as rules of CSS. */
class Film {
  readonly #moments: number;
  readonly #length: number;
  /** Names of classes, by the moments at which what has them is seen. */
  readonly #classes = new Map<string, string>();
  readonly #rules: string[] = [];

  constructor(moments: number) {
    this.#moments = moments;
    this.#length = moments + LAST - 1;
  }

  /** Marks that are the same at several moments, once. @param frames marks of each moment */
  layer(frames: readonly (readonly string[])[]): string[] {
    const seen = new Map<string, Set<number>>();
    for (const [index, marks] of frames.entries()) {
      for (const mark of marks) {
        const at = seen.get(mark);
        if (at === undefined) seen.set(mark, new Set([index]));
        else at.add(index);
      }
    }
    const groups = new Map<string, string[]>();
    for (const [mark, at] of seen) {
      const key = [...at].join();
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [mark]);
      else group.push(mark);
    }
    const always = frames.map((_, index) => index).join();
    const still = groups.get(always) ?? [];
    groups.delete(always);
    return [...still, ...[...groups].map(([key, marks]) => `<g class="${this.#seenAt(key)}">${marks.join('')}</g>`)];
  }

  /** A value on its way at a moment. */
  flight({ value, points }: Flight, index: number): string {
    const name = `v${this.#rules.length}`;
    const [[x, y]] = points;
    const hops = points.map(([px, py], at) => {
      const when = LEAVES + ((ARRIVES - LEAVES) * at) / (points.length - 1);
      return `${this.#percent(index + when)}{visibility:visible;transform:translate(${short(px - x)}px,${short(py - y)}px)`;
    });
    const frames = [
      '0%{visibility:hidden;animation-timing-function:step-end}',
      ...hops.slice(0, -1).map((hop) => `${hop};animation-timing-function:ease-in-out}`),
      `${hops[hops.length - 1]};animation-timing-function:step-end}`,
      `${this.#percent(index + 1)}{visibility:hidden}`,
    ];
    this.#rules.push(this.#rule(name, 'hidden', frames));
    const width = hex(value).length * COLUMN + 6;
    return `<g class="${name}">${box(x - width + 3, y - 13, width, 17, 'nb', 3)}${text(x, y, hex(value), 'n b e')}</g>`;
  }

  /** All that {@link layer} and {@link flight} have named. */
  rules(): string {
    return [...this.#rules, '@media (prefers-reduced-motion:reduce){svg g[class]{animation:none}}'].join('\n');
  }

  /** @param key numbers of moments, rising, with commas */
  #seenAt(key: string): string {
    const known = this.#classes.get(key);
    if (known !== undefined) return known;
    const at = new Set(key.split(',').map(Number));
    const name = `f${this.#rules.length}`;
    const frames: string[] = [];
    for (let index = 0; index < this.#moments; index++) {
      if (index > 0 && at.has(index) === at.has(index - 1)) continue;
      frames.push(`${this.#percent(index)}{visibility:${at.has(index) ? 'visible' : 'hidden'}}`);
    }
    this.#rules.push(this.#rule(name, at.has(0) ? 'visible' : 'hidden', frames));
    this.#classes.set(key, name);
    return name;
  }

  #rule(name: string, still: 'visible' | 'hidden', frames: readonly string[]): string {
    const seconds = short(this.#length * SECONDS);
    return `.${name}{visibility:${still};animation:${name} ${seconds}s step-end infinite}@keyframes ${name}{${frames.join('')}}`;
  }

  #percent(moments: number): string {
    return `${Math.round((moments / this.#length) * 10_000) / 100}%`;
  }
}

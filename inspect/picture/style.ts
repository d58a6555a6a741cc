import type { Palette } from './palette.js';

const FONT = '"DejaVu Sans Mono",Menlo,Consolas,"Liberation Mono",monospace';

/** The classes of a picture's marks. Letters, since they are in it a hundred times. */
export function style({
  paper,
  card,
  ink,
  soft,
  line,
  next,
  nextBack,
  changed,
  changedBack,
  right,
  wrong,
  who,
}: Palette): string {
  return [
    `text{font:12px ${FONT};fill:${ink};white-space:pre}`,
    // s: soft, b: bold, z: small, h: heading, e: ends at its place, m: has its middle there
    `.s{fill:${soft}}.b{font-weight:700}.z{font-size:11px}.h{font-size:15px;font-weight:700}`,
    '.e{text-anchor:end}.m{text-anchor:middle}',
    // n: comes next, c: has changed, r: right, x: wrong
    `.n{fill:${next}}.c{fill:${changed}}.r{fill:${right}}.x{fill:${wrong}}`,
    `.nb{fill:${nextBack};stroke:${next};stroke-dasharray:3 2}.cb{fill:${changedBack}}`,
    // p: paper, k: card, l: line, a: arrow, o: letters that stand on a line
    `.p{fill:${paper}}.k{fill:${card};stroke:${line}}.l{stroke:${line};fill:none}`,
    `.a{fill:none;stroke:${next};stroke-width:2}.o{paint-order:stroke;stroke:${paper};stroke-width:5px;stroke-linejoin:round}`,
    // t: a tint of a coroutine's colour, g: a deeper one, q: an outline in it
    who.map((colour, index) => `.w${index}{fill:${colour};stroke:${colour};stroke-width:0}`).join(''),
    '.t{fill-opacity:.12}.g{fill-opacity:.28}.q{fill-opacity:.06;stroke-opacity:.5;stroke-width:1}',
  ].join('\n');
}

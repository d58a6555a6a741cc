/** The lines above and below the panes. */
import { coroutineName } from '../names.js';
import type { MomentView } from '../view/viewer.js';
import { type Line, type Span, span } from './line.js';
import type { State } from './stepper.js';

/** Ids that a lane can show with one character each. */
const LANE_LETTERS = '0123456789abcdefghijklmnopqrstuvwxyz';

/** Where the run is; with room, who runs when, and the switches around. @param count of lines, 1 or 3 */
export function headLines({ view }: State, count: number): Line[] {
  const { moment, running, timeline, code, outcome } = view;
  const of = timeline.isWhole ? ` of ${timeline.furthest}` : '';
  const who = running === undefined ? 'no coroutine' : coroutineName(running);
  const first: Line = [
    span(` moment ${moment}${of} `, 'mark'),
    span(`│ ${who} `, 'bold'),
    span(`│ ${code.place}`),
    span(outcome === undefined ? '' : ' │ the run ends here', 'error'),
  ];
  return count === 1 ? [first] : [first, laneLine(view), switchesLine(view)];
}

/** A character for who runs at each part of the run; ┃ is now. */
function laneLine({ lane, timeline: { moment, furthest } }: MomentView): Line {
  const now = furthest === 0 ? 0 : Math.min(lane.length - 1, Math.floor((moment * lane.length) / furthest));
  const letters = lane.map((id) => (id === 0 ? 'm' : LANE_LETTERS[id % LANE_LETTERS.length])).join('');
  return [span(' '), span(letters.slice(0, now), 'dim'), span('┃', 'mark'), span(letters.slice(now + 1), 'dim')];
}

function switchesLine({ timeline: { moment, stretches, switchesBefore, switches, isWhole } }: MomentView): Line {
  const spans: Span[] = [span(` ${switchesBefore} of ${switches}${isWhole ? '' : ' so far'} switches: `, 'dim')];
  for (const { coroutine, start, end } of stretches) {
    const isNow = moment >= start && (moment < end || end === stretches[stretches.length - 1].end);
    const who = coroutine === 0 ? 'main' : `${coroutine}`;
    spans.push(span(isNow ? `▶${who}` : ` ${who}`, isNow ? 'mark' : 'plain'), span(` ${start}–${end} │`, 'dim'));
  }
  return spans;
}

/** What has happened or is being written, and the command that leads to this moment. */
export function footLines({ message, busy, prompt, columns }: State, command: string): Line[] {
  const hint = ' ? help  q quit ';
  const second: Line = [span(` ${command}`.padEnd(Math.max(0, columns - hint.length)), 'dim'), span(hint, 'dim')];
  if (prompt !== undefined) {
    const { text, cursor } = prompt;
    return [
      [
        span(`:${text.slice(0, cursor)}`, 'bold'),
        { text: text[cursor] ?? '▏', style: text[cursor] === undefined ? 'mark' : 'selected' },
        span(text.slice(cursor + 1), 'bold'),
      ],
      second,
    ];
  }
  if (busy !== undefined) {
    const part = busy.part === undefined ? '' : `, ${Math.floor(busy.part * 100)} %`;
    return [[span(` … moment ${busy.moment}${part}; Esc stops here`, 'changed')], second];
  }
  return [
    [span(message.isError ? '! ' : ' ', 'error'), span(message.text, message.isError ? 'error' : 'plain')],
    second,
  ];
}

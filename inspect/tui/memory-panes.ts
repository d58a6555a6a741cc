/** The panes that show what libmill keeps in memory: a stack, coroutines, channels; and what the program has written. */
import { coroutineName, hex } from '../names.js';
import type { CoroutineRow } from '../view/coroutines.js';
import type { StackView, StackWord } from '../view/stack.js';
import { type Line, type Span, short, span } from './line.js';
import type { Item, PaneInput, PaneText } from './pane.js';

const QUAD = 18;
/** Of an address in the left column. */
const ADDRESS = 11;

/** A coroutine's memory as libmill lays it out, and the words from rsp upwards. */
export function stackPane({ view, width }: PaneInput): PaneText {
  const { stack } = view;
  return {
    title: `stack of ${coroutineName(stack.coroutine)}`,
    heading: [drawing(stack, width), facts(stack)],
    items: stack.words.map((word) => wordItem(word, stack)),
  };
}

/** Low addresses on the left: guard page | not in use | was in use | in use | valbuf | mill_cr. */
function drawing({ low, high, cr, end, rsp, highWater }: StackView, width: number): Line {
  const isInside = rsp >= low && rsp <= high;
  const top = isInside ? rsp : high;
  const mark = Math.min(highWater, top);
  const parts: (readonly [text: string, style: Span['style'], fill: string])[] = [
    ['guard', 'dim', '▒'],
    [`free ${mark - low}`, 'dim', ' '],
    ...(mark < top ? ([[`used ${top - mark}`, 'dim', '░']] as const) : []),
    [`${isInside ? 'in use' : 'not here'} ${high - top}`, 'mark', '█'],
    ...(cr === undefined
      ? []
      : ([
          [`valbuf ${cr - high}`, 'plain', ' '],
          [`mill_cr ${end - cr}`, 'plain', ' '],
        ] as const)),
  ];
  const texts = parts.reduce((sum, [text]) => sum + text.length + 1, 1);
  const room = Math.max(0, Math.floor((width - texts) / parts.length / 2));
  const spans: Span[] = [span('│', 'dim')];
  for (const [text, style, fill] of parts) {
    const side = fill.repeat(Math.min(room, 4));
    spans.push(span(`${side}${text}${side}`, style), span('│', 'dim'));
  }
  return spans;
}

function facts({ low, high, rsp, rspIs, highWater }: StackView): Line {
  const where = rsp >= low && rsp <= high ? '' : ', not in this stack';
  return [
    span(`rsp ${hex(BigInt(rsp))}${rspIs === 'saved' ? ' (in the ctx)' : ''}${where}`),
    span(`  high-water ${hex(BigInt(highWater))}, ${high - highWater} bytes`, 'dim'),
  ];
}

function wordItem({ address, value, after, note }: StackWord, { rsp, high, cr }: StackView): Item {
  const changes = after !== undefined && after !== value;
  const region =
    cr !== undefined && address >= cr ? 'mill_cr' : address >= high ? 'valbuf' : address < rsp ? 'free' : '';
  const line: Line = [
    span(address === rsp ? 'rsp▶' : region === '' ? '    ' : region === 'free' ? '  · ' : '  │ ', 'mark'),
    span(hex(BigInt(address)).padEnd(ADDRESS), 'dim'),
    span(hex(value).padEnd(QUAD), address < rsp ? 'dim' : 'plain'),
    span(changes ? ` → ${hex(after)}` : '', 'coming'),
    span(note === '' ? '' : `  ${withoutFolders(note)}`, 'dim'),
  ];
  return { line, subject: { kind: 'memory', address, size: 8 }, isCentre: address === rsp };
}

/** A place with the names of its files alone. */
function withoutFolders(place: string): string {
  return place.replace(/[^\s(,]*\//g, '');
}

/** Who there is, in what state, and who comes next. */
export function coroutinesPane({ view }: PaneInput): PaneText {
  const { total, rows, ready } = view.coroutines;
  const queue = ready.slice(0, 12).map((id) => (id === 0 ? 'main' : `${id}`));
  const more = ready.length > queue.length ? `, … ${ready.length} in all` : '';
  const next = queue.length === 0 ? 'nobody is ready' : `ready: ${queue.join(', ')}${more}`;
  return {
    title: `${total} coroutine${total === 1 ? '' : 's'}, ${next}`,
    items: rows.map((row) => ({
      line: coroutineLine(row),
      subject: { kind: 'coroutine', coroutine: row.id },
      isCentre: row.id === view.context.coroutine,
    })),
  };
}

function coroutineLine({ id, isRunning, state, at, stackInUse }: CoroutineRow): Line {
  return [
    span(isRunning ? '▶ ' : '  ', 'mark'),
    span((id === 0 ? 'main' : `${id}`).padEnd(5), isRunning ? 'bold' : 'plain'),
    span(state.padEnd(11), isRunning ? 'mark' : 'plain'),
    span(` ${withoutFolders(at)}`),
    span(stackInUse === undefined ? '' : `  ${stackInUse} B`, 'dim'),
  ];
}

/** Channels with who waits at them, and timers. */
export function channelsPane({ view }: PaneInput): PaneText {
  const { channels, timers, time } = view;
  const names = (ids: readonly number[]): string => ids.map((id) => (id === 0 ? 'main' : `${id}`)).join(',');
  const items: Item[] = channels.map(({ id, items: count, capacity, senders, receivers, done, references }) => ({
    line: [
      span(`<${id}>`.padEnd(5), 'bold'),
      span(`${count}/${capacity}`.padEnd(6)),
      span(senders.length === 0 ? '' : `chs: ${names(senders)} `, 'changed'),
      span(receivers.length === 0 ? '' : `chr: ${names(receivers)} `, 'coming'),
      span(done ? 'done ' : ''),
      span(references === 1 ? '' : `${references} handles`, 'dim'),
    ],
    subject: { kind: 'channel', channel: id },
  }));
  for (const { coroutine, deadline, kind } of timers) {
    items.push({ line: [span(`timer ${deadline} ms `), span(`${kind} of ${coroutineName(coroutine)}`, 'dim')] });
  }
  return { title: `${channels.length} channel${channels.length === 1 ? '' : 's'}, clock ${time} ms`, items };
}

/** The end of what the program has written. */
export function outputPane({ view, height }: PaneInput): PaneText {
  const { bytes, lines } = view.output;
  const items = lines.slice(-height).map(({ stream, text }, index, shown): Item => {
    const isLast = index === shown.length - 1;
    const line = [span(stream === 2 ? '! ' : '  ', 'error'), span(text.replaceAll('\t', '    '))];
    return { line, isCentre: isLast };
  });
  return { title: `output, ${bytes} byte${bytes === 1 ? '' : 's'}`, items };
}

/** Breakpoints and watchpoints. */
export function stopsPane({ stops, width }: PaneInput): PaneText {
  return {
    title: 'breakpoints and watchpoints',
    items: stops.map(({ number, text }) => ({
      line: [span(`${number}  `.padEnd(4), 'bold'), span(short(text, width - 4))],
      subject: { kind: 'stop', number },
    })),
  };
}

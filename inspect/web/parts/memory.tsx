import { memo, type ReactNode, type RefObject, useLayoutEffect, useRef, useState } from 'react';
import { hex } from '../../names.js';
import { stackText } from '../../picture/telling.js';
import type { Scene } from '../../view/scene.js';
import type { StackView } from '../../view/stack.js';
import { useWords } from './context.js';
import { useHidden } from './hidden.js';
import { Value } from './value.js';
import { colourOf, Who } from './who.js';

/** px that a word needs to be read, and gets at first. */
const READABLE = 17;
const COMFORTABLE = 18.5;
const WORD = 8;
/** Power of two of bytes: all of main's stack. */
const MOST = 23;

/** px of a column's name, as the style sheet has it. */
const CAPTION = 28;

/** The part of a coroutine's memory that is seen. */
interface Window {
  readonly low: number;
  readonly high: number;
}

/** The two stacks in the one address space, to scale. */
export function Memory({ scene }: { readonly scene: Scene }): ReactNode {
  const words = useWords();
  const hidden = useHidden();
  const [box, height] = useDrawingHeight();
  // Powers of two of bytes that are seen at once: from what can be read as words, to all of main's stack.
  const least = Math.log2((height / COMFORTABLE) * WORD);
  const [out, setOut] = useState(0);
  const zoom = Math.min(MOST, least + out);
  const span = 2 ** zoom;
  const stacks = scene.parties.map(({ stack }) => stack);
  const windows = stacks.map((stack) => windowOf(stack, span));
  return (
    <section className="panel memory" aria-labelledby="memory-title" id="pane-stack" tabIndex={-1}>
      <header>
        <h2 id="memory-title">{words.memory}</h2>
        <label className="zoom">
          {words.zoom}
          <input
            type="range"
            min={0}
            max={MOST - least}
            step="any"
            value={MOST - least - out}
            aria-valuetext={words.bytes(Math.round(span).toLocaleString())}
            onChange={({ target }) => setOut(MOST - least - Number(target.value))}
            onKeyDown={(event) => {
              const by = { ArrowRight: -0.5, ArrowUp: -0.5, ArrowLeft: 0.5, ArrowDown: 0.5 }[event.key];
              if (by === undefined) return;
              event.preventDefault();
              setOut(Math.min(MOST - least, Math.max(0, out + by)));
            }}
          />
          <output>{words.bytes(roundedBytes(span))}</output>
        </label>
      </header>
      <p className="unseen">{stacks.map((stack) => stackText(stack, words)).join(' ')}</p>
      <div className="space" ref={box}>
        <Overview stacks={stacks} windows={windows} height={height} />
        {stacks.map((stack, index) => (
          <Column key={stack.coroutine} stack={stack} window={windows[index]} height={height} hidden={hidden} />
        ))}
      </div>
    </section>
  );
}

/** px that a drawing has, which depends on the screen. */
function useDrawingHeight(): readonly [RefObject<HTMLDivElement | null>, number] {
  const ref = useRef<HTMLDivElement>(null);
  const [height, setHeight] = useState(280);
  useLayoutEffect(() => {
    const { current } = ref;
    if (current === null) return;
    const observer = new ResizeObserver(([entry]) => setHeight(entry.contentRect.height - CAPTION));
    observer.observe(current);
    return () => observer.disconnect();
  }, []);
  return [ref, height];
}

function roundedBytes(span: number): string {
  if (span < 2048) return String(Math.round(span));
  return span < 1 << 20 ? `${Math.round(span / 1024)} Ki` : `${Math.round(span / (1 << 20))} Mi`;
}

/** What is seen of a stack: around rsp, be it in the guard page, and not beyond its ends. */
function windowOf({ guard, end, rsp, high }: StackView, span: number): Window {
  const seen = Math.min(span, end - guard);
  const here = rsp >= guard && rsp <= high ? rsp : high;
  const from = Math.max(guard, Math.min(end - seen, here - Math.max(3 * WORD, seen * 0.15)));
  return { low: from, high: from + seen };
}

/** All of the address space that the two take, and where the columns are in it. */
function Overview({
  stacks,
  windows,
  height,
}: {
  readonly stacks: readonly StackView[];
  readonly windows: readonly Window[];
  readonly height: number;
}): ReactNode {
  const words = useWords();
  const low = Math.min(...stacks.map(({ guard }) => guard));
  const high = Math.max(...stacks.map(({ end }) => end));
  const y = (address: number): number => ((high - address) / (high - low)) * height;
  return (
    <svg
      className="overview"
      viewBox={`0 0 44 ${height}`}
      width="44"
      height={height}
      aria-hidden="true"
      focusable="false"
    >
      <rect className="nothing" x="14" y="0" width="22" height={height} />
      {stacks.map(({ coroutine, guard, end, highWater }, index) => (
        <g key={coroutine} style={colourOf(coroutine)}>
          <rect className="block" x="14" y={y(end)} width="22" height={Math.max(2, y(guard) - y(end))} />
          <rect className="used" x="14" y={y(end)} width="22" height={Math.max(2, y(highWater) - y(end))} />
          <rect
            className="seen"
            x="11"
            y={y(windows[index].high) - 1}
            width="28"
            height={Math.max(3, y(windows[index].low) - y(windows[index].high) + 2)}
          />
        </g>
      ))}
      <text x="2" y={height / 2} transform={`rotate(-90 8 ${height / 2})`} className="scale">
        {words.bytes(roundedBytes(high - low))}
      </text>
    </svg>
  );
}

interface Segment extends Window {
  readonly kind: 'guard' | 'unused' | 'left' | 'stack' | 'valbuf' | 'cr';
}

function segmentsOf({ guard, low, high, end, rsp, highWater, cr }: StackView): Segment[] {
  const top = Math.min(high, Math.max(low, rsp));
  const used = Math.min(highWater, top);
  const all: Segment[] = [
    { kind: 'guard', low: guard, high: low },
    { kind: 'unused', low, high: used },
    { kind: 'left', low: used, high: top },
    { kind: 'stack', low: top, high },
    { kind: 'valbuf', low: high, high: cr ?? high },
    { kind: 'cr', low: cr ?? high, high: end },
  ];
  return all.filter((one) => one.high > one.low);
}

function Column({
  stack,
  window,
  height,
  hidden,
}: {
  readonly stack: StackView;
  readonly window: Window;
  readonly height: number;
  /** Whether what comes next is. */
  readonly hidden: boolean;
}): ReactNode {
  const words = useWords();
  const { low, high } = window;
  const scale = height / (high - low);
  const y = (address: number): number => (high - address) * scale;
  const segments = segmentsOf(stack).filter((one) => one.high > low && one.low < high);
  const names: Readonly<Record<Segment['kind'], string>> = {
    guard: words.guard,
    unused: words.unused,
    left: '',
    stack: words.stack,
    valbuf: words.valbuf,
    cr: words.cr,
  };
  const isReadable = WORD * scale >= READABLE;
  return (
    <figure
      className={`column ${stack.rspIs}`}
      style={colourOf(stack.coroutine)}
      aria-label={`${words.stack}, ${words.coroutine(stack.coroutine)}`}
    >
      <figcaption>
        <Who id={stack.coroutine} />
      </figcaption>
      <div className="drawing">
        {segments.map((segment) => {
          const top = Math.max(0, y(segment.high));
          const bottom = Math.min(height, y(segment.low));
          const tall = bottom - top;
          return (
            <div
              key={segment.kind}
              className={`segment ${segment.kind}`}
              style={{ top: `${top}px`, height: `${tall}px` }}
            >
              {tall > 13 && <span>{names[segment.kind]}</span>}
            </div>
          );
        })}
        {isReadable && <WordRows stack={stack} window={window} scale={scale} hidden={hidden} />}
        {stack.rsp >= low && stack.rsp <= high && (
          <div className="rsp" style={{ top: `${y(stack.rsp)}px` }}>
            <span>rsp</span>
          </div>
        )}
        {!isReadable && <span className="bound high">{hex(BigInt(Math.ceil(high)))}</span>}
        {!isReadable && <span className="bound low">{hex(BigInt(Math.floor(low)))}</span>}
      </div>
    </figure>
  );
}

/** The words, each in its place. */
function WordRows({
  stack,
  window,
  scale,
  hidden,
}: {
  readonly stack: StackView;
  readonly window: Window;
  /** px of a byte. */
  readonly scale: number;
  readonly hidden: boolean;
}): ReactNode {
  const shown = stack.words.filter(({ address }) => address >= window.low && address + WORD <= window.high);
  return (
    <ul className="words">
      {shown.map(({ address, value, after, note }) => (
        <WordRow
          key={address}
          address={address}
          value={value}
          becomes={hidden || after === value ? undefined : after}
          note={note}
          top={(window.high - address - WORD) * scale}
          height={WORD * scale}
          isBelow={address < stack.rsp}
        />
      ))}
    </ul>
  );
}

const WordRow = memo(function WordRow({
  address,
  value,
  becomes,
  note,
  top,
  height,
  isBelow,
}: {
  readonly address: number;
  readonly value: bigint;
  readonly becomes: bigint | undefined;
  readonly note: string;
  readonly top: number;
  readonly height: number;
  readonly isBelow: boolean;
}): ReactNode {
  return (
    <li
      className={[becomes === undefined ? '' : 'changes', isBelow ? 'below' : ''].join(' ')}
      style={{ top: `${top}px`, height: `${height}px` }}
    >
      <span className="address">{address.toString(16).slice(-4)}</span>
      <Value name={hex(BigInt(address))} value={value} asking={{ kind: 'memory', address, size: WORD }} />
      {becomes !== undefined && <span className="becomes">→ {hex(becomes)}</span>}
      <span className="note">{note}</span>
    </li>
  );
});

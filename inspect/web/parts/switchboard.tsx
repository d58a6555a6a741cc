import { type ReactNode, useEffect, useRef } from 'react';
import { hex } from '../../names.js';
import { type Journey, journeyOf, SWITCHED, UNTOUCHED } from '../../picture/journey.js';
import { travelText } from '../../picture/telling.js';
import type { ContextView, SlotRow } from '../../view/context.js';
import type { RegisterRow } from '../../view/registers.js';
import { flagNames } from '../../view/registers.js';
import type { Party, Scene } from '../../view/scene.js';
import { usePart, useWords } from './context.js';
import { useHidden } from './hidden.js';
import { shortPlace } from './place.js';
import { Value } from './value.js';
import { colourOf, Who } from './who.js';

/** px, as the style sheet has them. */
const ROW = 23;
const HEAD = 48;
const HEIGHT = HEAD + SWITCHED.length * ROW;
/** ms that a value takes; what takes less than the other is not to be seen. */
const LONGEST_JOURNEY = 420;
const SHORTEST_JOURNEY = 80;

/** The CPU between the ctx of two coroutines, and the value on its way from one to the other. */
export function Switchboard({
  scene,
  previous,
}: {
  readonly scene: Scene;
  readonly previous: Scene | undefined;
}): ReactNode {
  const words = useWords();
  const hidden = useHidden();
  const [left, right] = scene.parties;
  return (
    <section className="panel switchboard" aria-label={words.machine} id="pane-registers" tabIndex={-1}>
      <p className="unseen">{travelText(scene, words, hidden)}</p>
      <div className="board">
        <Context party={left} scene={scene} side="left" />
        <Gap party={left} previous={previous} side="left" />
        <Registers scene={scene} hidden={hidden} />
        <Gap party={right} previous={previous} side="right" />
        {right === undefined ? (
          <p className="nobody">{words.noOther}</p>
        ) : (
          <Context party={right} scene={scene} side="right" />
        )}
      </div>
    </section>
  );
}

function Registers({ scene, hidden }: { readonly scene: Scene; readonly hidden: boolean }): ReactNode {
  const words = useWords();
  const rows = new Map(scene.view.registers.map((row) => [row.name, row]));
  const { running } = scene.view;
  return (
    <div className="registers" style={running === undefined ? {} : colourOf(running)}>
      <h2 className="caption" id="cpu-title">
        {words.cpu} {running !== undefined && <Who id={running} />}
      </h2>
      <table aria-labelledby="cpu-title">
        <colgroup>
          <col className="name" />
          <col className="was" />
          <col />
          <col />
        </colgroup>
        <thead>
          <tr>
            <th scope="col">
              <span className="unseen">{words.register}</span>
            </th>
            <th scope="col" className="was">
              {words.was}
            </th>
            <th scope="col">{words.now}</th>
            <th scope="col">{words.next}</th>
          </tr>
        </thead>
        <tbody>
          {SWITCHED.map((name) => {
            const row = rows.get(name);
            return row === undefined ? null : <Register key={name} row={row} hidden={hidden} />;
          })}
        </tbody>
      </table>
      <dl className="others">
        {UNTOUCHED.map((name) => {
          const row = rows.get(name);
          return row === undefined ? null : <Other key={name} row={row} hidden={hidden} />;
        })}
      </dl>
    </div>
  );
}

function Other({
  row: { name, now, after, changed, changes },
  hidden,
}: {
  readonly row: RegisterRow;
  readonly hidden: boolean;
}): ReactNode {
  const words = useWords();
  const willChange = changes && !hidden;
  return (
    <div className={[changed ? 'changed' : '', willChange ? 'changes' : ''].join(' ')} data-register={name}>
      <dt>{name}</dt>
      <dd className="now">
        <Value name={name} value={now} asking={{ kind: 'register', register: name }} />
        {name === 'eflags' && <span className="flags">{flagNames(now).join(' ')}</span>}
      </dd>
      {willChange && after !== undefined && (
        <dd className="next">
          <Value name={`${name}, ${words.next}`} value={after} />
        </dd>
      )}
    </div>
  );
}

function Register({ row, hidden }: { readonly row: RegisterRow; readonly hidden: boolean }): ReactNode {
  const words = useWords();
  const { name, before, now, after, changed, changes } = row;
  const willChange = changes && !hidden;
  // It changes always: that is worth no mark and no question.
  const isMarked = name !== 'rip';
  return (
    <tr
      className={[
        changed && isMarked ? 'changed' : '',
        willChange && isMarked ? 'changes' : '',
        name === 'rdx' ? 'apart' : '',
      ].join(' ')}
      data-register={name}
    >
      <th scope="row">{name}</th>
      <td className="was">
        {changed && before !== undefined && <Value name={`${name}, ${words.was}`} value={before} />}
      </td>
      <td className="now">
        <Value name={name} value={now} asking={isMarked ? { kind: 'register', register: name } : undefined} />
      </td>
      <td className="next">
        {willChange && after !== undefined && <Value name={`${name}, ${words.next}`} value={after} />}
      </td>
    </tr>
  );
}

function Context({
  party: { context, stack },
  scene,
  side,
}: {
  readonly party: Party;
  readonly scene: Scene;
  readonly side: string;
}): ReactNode {
  const words = useWords();
  const hidden = useHidden();
  const row = scene.view.coroutines.rows.find(({ id }) => id === context.coroutine);
  const title = `ctx-${context.coroutine}`;
  return (
    <div
      className={`context ${side} ${context.state.replace(' ', '-')}`}
      style={colourOf(context.coroutine)}
      data-coroutine={context.coroutine}
    >
      <h2 className="caption" id={title}>
        <Who id={context.coroutine} />
        <span className="state">{words.states[context.state]}</span>
      </h2>
      <table aria-labelledby={title}>
        <colgroup>
          <col className="index" />
          <col className="name" />
          <col />
        </colgroup>
        <thead>
          <tr>
            <td className="index" />
            <th scope="col">ctx</th>
            <th scope="col">
              <Value name={`ctx, ${words.coroutine(context.coroutine)}`} value={BigInt(context.address)} />
            </th>
          </tr>
        </thead>
        <tbody>
          {context.slots.map((slot) => (
            <Slot key={slot.index} slot={slot} context={context} hidden={hidden} />
          ))}
        </tbody>
      </table>
      <ul className="facts">
        {context.step !== undefined && <li className="step">{words.step(context.step.number, context.step.of)}</li>}
        {row !== undefined && (
          <>
            <li>{words.state(row.state)}</li>
            <li className="place">{shortPlace(row.at)}</li>
          </>
        )}
        {row?.stackInUse !== undefined && (
          <li>
            {words.stack}: {words.bytes(row.stackInUse.toLocaleString())}
          </li>
        )}
        <li>
          rsp <Value name={`rsp, ${words.coroutine(context.coroutine)}`} value={BigInt(stack.rsp)} />
        </li>
      </ul>
    </div>
  );
}

function Slot({
  slot,
  context,
  hidden,
}: {
  readonly slot: SlotRow;
  readonly context: ContextView;
  readonly hidden: boolean;
}): ReactNode {
  const words = useWords();
  const { index, name, held, travel, done } = slot;
  const moves = travel !== undefined && !hidden;
  const label = `${words.slot} ${index} ${name}, ${words.coroutine(context.coroutine)}`;
  return (
    <tr className={[moves ? 'moves' : '', done ? 'done' : ''].join(' ')} data-slot={index}>
      <td className="index">{index}</td>
      <th scope="row">{name === 'rip' ? 'rip' : name}</th>
      <td>
        <span className="mark" aria-hidden="true">
          {done ? '✓' : moves ? '▸' : ''}
        </span>
        <Value name={label} value={held} asking={{ kind: 'slot', coroutine: context.coroutine, slot: name }} />
      </td>
    </tr>
  );
}

const centre = (row: number): number => HEAD + (row + 0.5) * ROW;

/** A value's way, in px from the top. */
function endsOf(context: ContextView | undefined): Journey | undefined {
  const journey = journeyOf(context, SWITCHED);
  return journey && { ...journey, from: centre(journey.from), to: centre(journey.to) };
}

/** Between the CPU and a ctx: the arrow of the value that travels next, and the value that has just travelled. */
function Gap({
  party,
  previous,
  side,
}: {
  readonly party: Party | undefined;
  readonly previous: Scene | undefined;
  readonly side: 'left' | 'right';
}): ReactNode {
  const hidden = useHidden();
  const playing = usePart('playing');
  const speed = usePart('speed');
  const journey = playing ? Math.min(LONGEST_JOURNEY, 900 / speed) : LONGEST_JOURNEY;
  const next = hidden ? undefined : endsOf(party?.context);
  const before = previous?.parties.find(({ context }) => context.coroutine === party?.context.coroutine);
  const last = endsOf(before?.context);
  const chip = useRef<HTMLSpanElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each step is a journey of its own, even of the same value
  useEffect(() => {
    const element = chip.current;
    if (
      element === null ||
      last === undefined ||
      journey < SHORTEST_JOURNEY ||
      matchMedia('(prefers-reduced-motion: reduce)').matches
    )
      return;
    // On the left side the CPU is to the right. Nothing is measured, so that nothing has to be laid out for it.
    const at = (atCpu: boolean, y: number): Keyframe => {
      const isRight = atCpu === (side === 'left');
      return {
        left: isRight ? '100%' : '0%',
        transform: `translate(${isRight ? '-100%' : '0'}, ${y}px) translate(0, -50%)`,
      };
    };
    const [start, end] =
      last.way === 'within'
        ? [at(true, last.from), at(true, last.to)]
        : [at(last.way === 'out', last.from), at(last.way === 'in', last.to)];
    const animation = element.animate(
      [
        { ...start, opacity: 1 },
        { ...end, opacity: 1, offset: 0.85 },
        { ...end, opacity: 0 },
      ],
      { duration: journey, easing: 'ease-in-out' },
    );
    return () => animation.cancel();
  }, [previous]);
  return (
    <div className={`gap ${side}`} aria-hidden="true">
      <svg viewBox={`0 0 100 ${HEIGHT}`} preserveAspectRatio="none" focusable="false" aria-hidden="true">
        {next !== undefined && <Arrow ends={next} side={side} />}
      </svg>
      {next !== undefined && <Head ends={next} side={side} />}
      {next !== undefined && (
        <span className="cargo" style={{ top: `${(next.from + next.to) / 2}px` }}>
          {hex(next.value)}
        </span>
      )}
      {last !== undefined && (
        <span className="chip" ref={chip}>
          {hex(last.value)}
        </span>
      )}
    </div>
  );
}

function Arrow({
  ends: { from, to, way },
  side,
}: {
  readonly ends: Journey;
  readonly side: 'left' | 'right';
}): ReactNode {
  const cpu = side === 'left' ? 100 : 0;
  const ctx = 100 - cpu;
  const [start, end] = way === 'out' ? [cpu, ctx] : way === 'in' ? [ctx, cpu] : [cpu, cpu];
  const path =
    way === 'within'
      ? `M ${start} ${from} C ${50} ${from}, ${50} ${to}, ${end} ${to}`
      : `M ${start} ${from} C 50 ${from}, 50 ${to}, ${end} ${to}`;
  return <path className="arrow" d={path} />;
}

/** The arrow's head, which must not be stretched with the gap. */
function Head({ ends: { to, way }, side }: { readonly ends: Journey; readonly side: 'left' | 'right' }): ReactNode {
  const pointsLeft = (way === 'out') === (side === 'left');
  return (
    <svg
      className={`head ${pointsLeft ? 'at-left' : 'at-right'}`}
      style={{ top: `${to}px` }}
      viewBox="0 0 10 12"
      aria-hidden="true"
      focusable="false"
    >
      <path d={pointsLeft ? 'M10 0 L0 6 L10 12 Z' : 'M0 0 L10 6 L0 12 Z'} />
    </svg>
  );
}

import type { MouseEvent, ReactNode } from 'react';
import type { Timeline as View } from '../../view/timeline.js';
import { usePart, usePlayer, useWords } from './context.js';
import { colourOf } from './who.js';

/** px of a lane. */
const LANE = 11;
const MOST_LANES = 6;
const WIDTH = 1000;

/** Who ran when; a click goes there. */
export function Timeline({ timeline }: { readonly timeline: View }): ReactNode {
  const player = usePlayer();
  const words = useWords();
  const moments = usePart('moments');
  const { stretches, furthest, moment, isWhole } = timeline;
  const ids = [...new Set(stretches.map(({ coroutine }) => coroutine))].sort((a, b) => a - b);
  const lanes = Math.min(MOST_LANES, ids.length);
  const x = (at: number): number => (furthest === 0 ? 0 : (at / furthest) * WIDTH);
  const go = (event: MouseEvent<SVGSVGElement>): void => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    const at = Math.round(((event.clientX - left) / width) * furthest);
    player.move({ kind: 'at', moment: Math.max(0, Math.min(furthest, at)) });
  };
  const value = words.momentOf(moment, furthest, isWhole);
  return (
    <div className="timeline">
      <p className="unseen">
        {words.timeline}:{' '}
        {stretches.map(({ coroutine, start, end }) => words.ran(words.coroutine(coroutine), start, end)).join('; ')}
      </p>
      <svg
        viewBox={`0 0 ${WIDTH} ${lanes * LANE}`}
        height={lanes * LANE}
        preserveAspectRatio="none"
        aria-hidden="true"
        focusable="false"
        onClick={go}
      >
        {stretches.map(({ coroutine, start, end }) => (
          <rect
            key={start}
            style={colourOf(coroutine)}
            className={start <= moment && moment < end ? 'stretch here' : 'stretch'}
            x={x(start)}
            y={(ids.indexOf(coroutine) % MOST_LANES) * LANE + 1}
            width={Math.max(1, x(end) - x(start))}
            height={LANE - 2}
          />
        ))}
        <line className="needle" x1={x(moment)} x2={x(moment)} y1="0" y2={lanes * LANE} />
      </svg>
      <div className="names" aria-hidden="true">
        {ids.slice(0, MOST_LANES).map((id) => (
          <span key={id} style={colourOf(id)}>
            {words.coroutine(id)}
          </span>
        ))}
      </div>
      <input
        type="range"
        min={0}
        max={furthest}
        value={moment}
        aria-label={words.timeline}
        aria-valuetext={value}
        onChange={({ target }) => player.move({ kind: 'at', moment: Number(target.value) })}
      />
      <svg className="marks" viewBox={`0 0 ${WIDTH} 6`} preserveAspectRatio="none" aria-hidden="true" focusable="false">
        {moments.map((at, index) =>
          // biome-ignore lint/suspicious/noArrayIndexKey: passages have no other name
          at === undefined ? null : <rect key={index} x={Math.min(WIDTH - 2, x(at))} y="0" width="2" height="6" />,
        )}
      </svg>
    </div>
  );
}

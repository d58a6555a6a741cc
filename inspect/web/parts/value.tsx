import type { ReactNode } from 'react';
import { hex } from '../../names.js';
import type { WatchedValue } from '../../watched.js';
import { usePlayer } from './context.js';

interface Props {
  /** What it is: `rbx`, `slot 2 r12`. */
  readonly name: string;
  readonly value: bigint;
  /** Where it is, if the machine can be asked who wrote it there, and can watch it. */
  readonly asking?: WatchedValue | undefined;
  readonly mark?: string | undefined;
}

/** A number that can be asked about. */
export function Value({ name, value, asking, mark }: Props): ReactNode {
  const player = usePlayer();
  const text = hex(value);
  return (
    <button
      type="button"
      className={mark === undefined ? 'value' : `value ${mark}`}
      aria-label={`${name} ${text}`}
      onClick={() => void player.inquire(name, value, asking)}
    >
      <span className="prefix">{text.slice(0, 2)}</span>
      {text.slice(2)}
    </button>
  );
}

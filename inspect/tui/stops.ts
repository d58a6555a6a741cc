import { coroutineName } from '../names.js';
import type { Stopped } from '../stops.js';
import { watchedText } from './subjects.js';

/** `0x` and eight bytes: of much memory, its first words. */
const LONGEST = 18;

/** Why a run has stopped, in words: what changed, from what to what, by whom. Empty if there is no reason. */
export function stoppedText({ places, changes, by }: Stopped): string {
  const who = by?.coroutine === undefined ? 'no coroutine' : coroutineName(by.coroutine);
  const value = (text: string | undefined): string => text?.slice(0, LONGEST) ?? 'nothing';
  const at = places.map(({ number, place }) => `breakpoint ${number}: ${place}`).join(', ');
  const changed = changes.map(
    ({ number, watched, before, after }) =>
      `${number}: ${watchedText(watched)}: ${value(before)} → ${value(after)} by ${who} at ${by?.place}, moment ${by?.moment}`,
  );
  return [...(at === '' ? [] : [at]), ...changed].join('; ');
}

import { UndefinedSymbol } from '../../asm/errors.js';
import { INCLUDES } from '../../asm/libmill.image.js';
import { UsageError } from '../errors.js';
import type { MoveOptions } from '../history.js';
import { LessonError } from './error.js';
import type { Stage } from './stage.js';
import { idOf, WHO } from './who.js';

/** A moment of a run as an author writes it, without knowing its number. It is looked for behind the one before it. */
export type Anchor = { readonly file: string; readonly line: number; readonly text: string } & (
  | { readonly kind: 'start' | 'end' }
  /** So many instructions on; none is `here`. */
  | { readonly kind: 'step'; readonly count: number }
  | { readonly kind: 'switch'; readonly to: number | undefined; readonly occurrence: number }
  /** An address, a symbol or a line, as a session takes it; or, in quotes, what is written in one line of a source. */
  | {
      readonly kind: 'place';
      readonly place: string;
      readonly quoted: boolean;
      /** The coroutine that is to be there; undefined for any. */
      readonly who: number | undefined;
      readonly occurrence: number;
    }
);

const SWITCH = new RegExp(String.raw`^switch(?: to (${WHO}))?(?: #(\d+))?$`);
const PLACE = new RegExp(String.raw`^(?:"([^"]+)"|([^\s"#]+))(?: in (${WHO}))?(?: #(\d+))?$`);

/** Reads an anchor. @throws LessonError */
export function readAnchor(text: string, file: string, line: number): Anchor {
  const where = { file, line, text };
  if (text === 'start' || text === 'end') return { ...where, kind: text };
  if (text === 'here') return { ...where, kind: 'step', count: 0 };
  const step = /^\+(\d+)$/.exec(text);
  if (step !== null) return { ...where, kind: 'step', count: Number(step[1]) };
  const occurrenceOf = (written: string | undefined): number => {
    if (written !== undefined && Number(written) === 0) {
      throw new LessonError(file, line, `"${text}": occurrences count from #1`);
    }
    return Number(written ?? 1);
  };
  const change = SWITCH.exec(text);
  if (change !== null) {
    const to = change[1] === undefined ? undefined : idOf(change[1]);
    return { ...where, kind: 'switch', to, occurrence: occurrenceOf(change[2]) };
  }
  const found = PLACE.exec(text);
  if (found === null) {
    throw new LessonError(
      file,
      line,
      `"${text}" is no moment: write start, here, +N (instructions), end, switch, switch to main, a symbol, symbol+N, ` +
        'file:line or "text of one line of a source"; a place may be followed by "in coroutine 1" and by #2 for the second time',
    );
  }
  const [, quote, name, who, occurrence] = found;
  return {
    ...where,
    kind: 'place',
    place: quote ?? name,
    quoted: quote !== undefined,
    who: who === undefined ? undefined : idOf(who),
    occurrence: occurrenceOf(occurrence),
  };
}

/**
 * Goes from one moment to an anchor behind it.
 * @throws LessonError if there is no such place, or the run does not come there; the signal's reason if it was stopped
 */
export async function reach(stage: Stage, anchor: Anchor, from: number, options: MoveOptions = {}): Promise<void> {
  const { session } = stage;
  await session.go(anchor.kind === 'start' ? 0 : from, options);
  const missed = (): LessonError => {
    options.signal?.throwIfAborted();
    const end = session.moment;
    const problem = `"${anchor.text}" is not reached behind moment ${from}: the run ends at ${end}`;
    return new LessonError(anchor.file, anchor.line, problem);
  };
  switch (anchor.kind) {
    case 'start':
      return;
    case 'end':
      return session.go(Number.MAX_SAFE_INTEGER, options);
    case 'step':
      await session.step(anchor.count, options);
      if (session.moment !== from + anchor.count) throw missed();
      return;
    case 'switch':
      for (let left = anchor.occurrence; left > 0; ) {
        if (!(await session.nextSwitch(undefined, options))) throw missed();
        if (anchor.to === undefined || anchor.to === runningId(stage)) left--;
      }
      return;
    case 'place': {
      const place = anchor.quoted ? placeOfText(stage, anchor.place, anchor) : anchor.place;
      for (let left = anchor.occurrence; left > 0; ) {
        if (!(await atPlace(stage, place, anchor, options))) throw missed();
        if (anchor.who === undefined || anchor.who === runningId(stage)) left--;
      }
    }
  }
}

/** The moments of anchors, each looked for behind the one before it. @throws LessonError */
export async function momentsOf(
  stage: Stage,
  anchors: readonly Anchor[],
  options: MoveOptions = {},
): Promise<readonly number[]> {
  const moments: number[] = [];
  for (const anchor of anchors) {
    await reach(stage, anchor, moments.at(-1) ?? 0, options);
    moments.push(stage.session.moment);
  }
  return moments;
}

/** Id of the coroutine that runs. */
export function runningId({ session: { process } }: Stage): number | undefined {
  return process.running === undefined ? undefined : process.mill.census.id(process.running);
}

async function atPlace(stage: Stage, place: string, anchor: Anchor, options: MoveOptions): Promise<boolean> {
  try {
    return await stage.session.to(place, options);
  } catch (error) {
    // Of a symbol or a line that is not there the session knows what is near it.
    if (!(error instanceof UsageError || error instanceof UndefinedSymbol)) throw error;
    throw new LessonError(anchor.file, anchor.line, error.message);
  }
}

/** The one line with code that says this, as `file:line`. */
function placeOfText({ session: { process }, sources }: Stage, text: string, { file, line }: Anchor): string {
  const withCode = process.images.flatMap(({ lines }) => lines);
  const hasCode = (name: string, number: number): boolean =>
    withCode.some((one) => one.line === number && (one.file === name || one.file.endsWith(`/${name}`)));
  const included = Object.entries(INCLUDES)
    .map(([name, content]) => ({ name, text: content }))
    .filter(({ name }) => !sources.some((source) => source.name === name));
  const places = [...sources, ...included].flatMap(({ name, text: content }) =>
    content
      .split('\n')
      .flatMap((written, index) => (squeeze(written).includes(squeeze(text)) ? [index + 1] : []))
      .filter((number) => hasCode(name, number))
      .map((number) => `${name}:${number}`),
  );
  if (places.length === 1) return places[0];
  const problem =
    places.length === 0
      ? `no line with code says "${text}" (what a macro brings in is written in the macro)`
      : `"${text}" is in several lines, ${places.join(', ')}: write more of the one that is meant, or put a label there`;
  throw new LessonError(file, line, problem);
}

/** Columns are for the eye. */
function squeeze(text: string): string {
  return text.replace(/\s+/g, ' ');
}

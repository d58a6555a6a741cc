import { LANGUAGES, type Language } from '../lesson/lesson.js';

/** What the page's address says behind its `#`. */
export interface Address {
  readonly lesson: string | undefined;
  readonly program: string | undefined;
  /** A shipped program of the playground. */
  readonly play?: string | undefined;
  /** A run in the playground, as text. */
  readonly run?: string | undefined;
  readonly moment: number | undefined;
  readonly language: Language | undefined;
}

/** Reads an address; what it does not say, or says wrongly, is undefined. */
export function readAddress(hash: string): Address {
  const said = new URLSearchParams(hash.replace(/^#/, ''));
  const at = said.get('at') ?? '';
  return {
    lesson: said.get('lesson') ?? undefined,
    program: said.get('program') ?? undefined,
    play: said.get('play') ?? undefined,
    run: said.get('run') ?? undefined,
    moment: /^\d{1,15}$/.test(at) ? Number(at) : undefined,
    language: LANGUAGES.find((one) => one === said.get('lang')),
  };
}

/** The address of a moment. */
export function writeAddress({ lesson, program, play, run, moment, language }: Address): string {
  const said = new URLSearchParams();
  if (lesson !== undefined) said.set('lesson', lesson);
  if (program !== undefined) said.set('program', program);
  if (play !== undefined) said.set('play', play);
  if (run !== undefined) said.set('run', run);
  if (moment !== undefined) said.set('at', String(moment));
  if (language !== undefined) said.set('lang', language);
  return `#${said}`;
}

import { knownDirectives } from '../../../../asm/directives.js';
import { registerNames } from '../../../../asm/registers.js';
import type { Source } from '../../../../asm/statement.js';

/** Registers with their `%`. */
export const REGISTERS: ReadonlySet<string> = new Set(registerNames().map((name) => `%${name}`));

/** A name that can be written somewhere. */
export interface Name {
  readonly text: string;
  readonly kind: 'function' | 'macro' | 'constant' | 'label' | 'register' | 'directive';
  /** Where it is defined: a file of the runtime; undefined for the program's own. */
  readonly from: string | undefined;
}

/** Names that mean the same everywhere. */
export const FIXED_NAMES: readonly Name[] = [
  ...[...REGISTERS].map((text): Name => ({ text, kind: 'register', from: undefined })),
  ...knownDirectives().map((text): Name => ({ text, kind: 'directive', from: undefined })),
];

const DEFINITION = /^[ \t]*(?:(\.macro|\.set|host|also|\.globl)[ \t]+)?([A-Za-z_]\w*)(:)?/gm;

/** What the runtime's sources define for all to see: functions, doors and macros. */
export function runtimeNames(sources: readonly Source[]): Name[] {
  const names = new Map<string, Name>();
  for (const { name: from, text } of sources) {
    for (const [, directive, name, colon] of text.matchAll(DEFINITION)) {
      const kind = kindOf(directive, colon);
      if (kind !== undefined && !names.has(name)) names.set(name, { text: name, kind, from });
    }
  }
  return [...names.values()];
}

function kindOf(directive: string | undefined, colon: string | undefined): Name['kind'] | undefined {
  if (directive === '.macro') return 'macro';
  if (directive === '.set') return 'constant';
  if (directive !== undefined) return 'function';
  return colon === undefined ? undefined : 'label';
}

/** The labels of a text. */
export function labelsOf(text: string): Name[] {
  return [...text.matchAll(/^[ \t]*([A-Za-z_.][\w.]*):/gm)].map(([, label]) => ({
    text: label,
    kind: 'label',
    from: undefined,
  }));
}

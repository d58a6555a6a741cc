import {
  autocompletion,
  type Completion,
  type CompletionContext,
  type CompletionResult,
  completionKeymap,
} from '@codemirror/autocomplete';
import type { Extension } from '@codemirror/state';
import { keymap } from '@codemirror/view';
import { FIXED_NAMES, labelsOf, type Name } from './names.js';

/** Libmill's own names are what people look for. */
const BOOST: Readonly<Record<Name['kind'], number>> = {
  label: 3,
  function: 1,
  macro: 2,
  register: 0,
  directive: 0,
  constant: -1,
};

/** Offers what may be written: names of the runtime, registers, directives, and labels of the text. */
export function completion(runtime: () => readonly Name[]): Extension {
  const complete = ({ state, pos, explicit, matchBefore }: CompletionContext): CompletionResult | null => {
    const line = state.doc.lineAt(pos);
    if (/^[^"]*#/.test(line.text.slice(0, pos - line.from))) return null;
    const word = matchBefore.call({ state, pos } as CompletionContext, /[%.]?[\w.]*/);
    if (word === null || (word.from === word.to && !explicit)) return null;
    // Numbers are no names.
    if (/^\d/.test(word.text)) return null;
    const names = [...labelsOf(state.doc.toString()), ...runtime(), ...FIXED_NAMES];
    const known = new Map(names.map((name) => [name.text, name]));
    return { from: word.from, options: [...known.values()].map(optionOf), validFor: /^[%.]?[\w.]*$/ };
  };
  return [autocompletion({ override: [complete], icons: false }), keymap.of(completionKeymap)];
}

function optionOf({ text, kind, from }: Name): Completion {
  const isMill = text.startsWith('mill_');
  return { label: text, type: kind, detail: from ?? kind, boost: BOOST[kind] + (isMill ? 1 : 0) };
}

import { HighlightStyle, StreamLanguage, type StringStream, syntaxHighlighting } from '@codemirror/language';
import type { Extension } from '@codemirror/state';
import { tags } from '@lezer/highlight';
import { REGISTERS } from './names.js';

interface State {
  /** Within a comment of several lines. */
  inComment: boolean;
  /** Labels may stand in front of it. */
  hasMnemonic: boolean;
}

/** AT&T syntax for x86-64, as this assembler reads it. */
const assembly = StreamLanguage.define<State>({
  name: 'assembly',
  startState: () => ({ inComment: false, hasMnemonic: false }),
  token(stream, state) {
    if (stream.sol()) state.hasMnemonic = false;
    if (state.inComment) return comment(stream, state);
    if (stream.eatSpace()) return null;
    if (stream.match('/*')) {
      state.inComment = true;
      return comment(stream, state);
    }
    if (stream.match('#')) {
      stream.skipToEnd();
      return 'comment';
    }
    if (stream.match(';')) {
      state.hasMnemonic = false;
      return null;
    }
    if (stream.match(/^"(?:\\.|[^"\\])*"?/) || stream.match(/^'(?:\\.|[^'\\])'?/)) return 'string';
    const register = stream.match(/^%\w+/);
    if (register !== null) {
      return Array.isArray(register) && REGISTERS.has(register[0]) ? 'variableName.special' : 'invalid';
    }
    if (!state.hasMnemonic && stream.match(/^[\w.$]+:/)) return 'labelName';
    if (stream.match(/^\$?-?(?:0x[\da-f]+|\d+)\b/i)) return 'number';
    // The other end of a numeric label: `1b`.
    if (stream.match(/^\d+[bf]\b/)) return 'labelName';
    if (stream.match(/^\.\w+/)) {
      const isDirective = !state.hasMnemonic;
      state.hasMnemonic = true;
      return isDirective ? 'meta' : 'variableName';
    }
    if (stream.match(/^[a-z_]\w*/i)) {
      const isMnemonic = !state.hasMnemonic;
      state.hasMnemonic = true;
      return isMnemonic ? 'keyword' : 'variableName';
    }
    stream.next();
    return null;
  },
  languageData: { commentTokens: { line: '#', block: { open: '/*', close: '*/' } } },
});

function comment(stream: StringStream, state: State): string {
  if (stream.skipTo('*/')) {
    stream.match('*/');
    state.inComment = false;
  } else stream.skipToEnd();
  return 'comment';
}

/** Colours are those of the page. */
const colours = HighlightStyle.define([
  { tag: tags.comment, color: 'var(--soft)', fontStyle: 'italic' },
  { tag: tags.keyword, color: 'var(--ink)', fontWeight: '600' },
  { tag: tags.meta, color: 'var(--who-3)' },
  { tag: tags.labelName, color: 'var(--who-1)', fontWeight: '600' },
  { tag: tags.special(tags.variableName), color: 'var(--who-0)' },
  { tag: tags.variableName, color: 'var(--who-1)' },
  { tag: [tags.number, tags.string], color: 'var(--who-2)' },
  { tag: tags.invalid, color: 'var(--wrong)' },
]);

/** Assembly text in colours. */
export const assemblyLanguage: Extension = [assembly, syntaxHighlighting(colours)];

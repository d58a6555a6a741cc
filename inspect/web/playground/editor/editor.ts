import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { bracketMatching } from '@codemirror/language';
import { EditorState, type Extension } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view';
import { completion } from './completion.js';
import { assemblyLanguage } from './language.js';
import { type Marks, mark, marks, NO_MARKS } from './marks.js';
import type { Name } from './names.js';
import { theme } from './theme.js';

/** What an editor tells, and asks. */
export interface EditorOptions {
  /** The text of a file was edited. */
  changed(file: string, text: string): void;
  /** What the runtime defines. */
  names(): readonly Name[];
}

/**
 * A CodeMirror for several files, each with a history of its own. It stands in a shadow root, whose style sheets it
 * adopts: the page's policy allows no style elements.
 */
export class Editor {
  readonly #view: EditorView;
  readonly #options: EditorOptions;
  /** Of the files that are not shown. */
  readonly #states = new Map<string, EditorState>();
  #file = '';
  #label = '';
  #marks: Marks = NO_MARKS;
  /** The text comes from the page, and not from a hand. */
  #isFilling = false;

  /** @param parent an element whose content this will be */
  constructor(parent: HTMLElement, options: EditorOptions) {
    this.#options = options;
    const root = parent.shadowRoot ?? parent.attachShadow({ mode: 'open' });
    this.#view = new EditorView({ root, parent: root });
  }

  /** Shows a file, with the text that it is to have. */
  show(file: string, text: string, label: string, isFixed: boolean): void {
    const view = this.#view;
    if (file !== this.#file || label !== this.#label || view.state.readOnly !== isFixed) {
      this.#states.set(this.#file, view.state);
      const kept = file === this.#file ? undefined : this.#states.get(file);
      this.#file = file;
      this.#label = label;
      const isKept = kept !== undefined && kept.readOnly === isFixed && kept.doc.toString() === text;
      view.setState(isKept ? kept : EditorState.create({ doc: text, extensions: this.#extensions(label, isFixed) }));
      this.mark(this.#marks);
    } else if (view.state.doc.toString() !== text) {
      this.#isFilling = true;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
      this.#isFilling = false;
    }
  }

  /** Drops what is kept of all files. */
  forget(): void {
    this.#states.clear();
    this.#file = '';
  }

  mark(marks: Marks): void {
    this.#marks = marks;
    mark(this.#view, marks);
  }

  /** Puts the cursor somewhere, in sight. Lines and columns count from 1. */
  goTo(line: number, column = 1): void {
    const { doc } = this.#view.state;
    const { from, to } = doc.line(Math.min(doc.lines, Math.max(1, line)));
    const anchor = Math.min(to, from + column - 1);
    this.#view.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: 'center' }) });
    this.#view.focus();
  }

  /** Brings a line into sight, unless somebody is at work elsewhere in the text. */
  reveal(line: number): void {
    const { doc } = this.#view.state;
    if (line < 1 || line > doc.lines || this.#view.hasFocus) return;
    this.#view.dispatch({ effects: EditorView.scrollIntoView(doc.line(line).from, { y: 'center' }) });
  }

  close(): void {
    this.#view.destroy();
  }

  #extensions(label: string, isFixed: boolean): Extension {
    return [
      lineNumbers(),
      history(),
      drawSelection(),
      bracketMatching(),
      EditorView.lineWrapping,
      highlightActiveLine(),
      EditorState.tabSize.of(8),
      EditorState.readOnly.of(isFixed),
      EditorView.contentAttributes.of({
        'aria-label': label,
        autocapitalize: 'off',
        spellcheck: 'false',
        tabindex: '0',
      }),
      assemblyLanguage,
      isFixed ? [] : completion(this.#options.names),
      keymap.of([...defaultKeymap, ...historyKeymap, { key: 'Tab', run: indent }]),
      marks,
      theme,
      EditorView.updateListener.of(({ docChanged, state }) => {
        if (docChanged && !this.#isFilling) this.#options.changed(this.#file, state.doc.toString());
      }),
    ];
  }
}

/** To the next column of eight, as assembly text has them. */
function indent(view: EditorView): boolean {
  if (view.state.readOnly) return false;
  const { head, empty } = view.state.selection.main;
  const line = view.state.doc.lineAt(head);
  if (!empty) return false;
  const count = 8 - ((head - line.from) % 8);
  view.dispatch(view.state.replaceSelection(' '.repeat(count)));
  return true;
}

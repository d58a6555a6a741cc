import { type Extension, StateEffect, StateField, type Text } from '@codemirror/state';
import { Decoration, type DecorationSet, EditorView, WidgetType } from '@codemirror/view';
import type { Problem } from '../../workshop/protocol.js';

/** What is to be seen in a text besides itself. */
export interface Marks {
  readonly problems: readonly Problem[];
  /** The line where the machine is. */
  readonly here: number | undefined;
  /** A line that is worth a look. */
  readonly shown: number | undefined;
  /** That is the place in front of it, where a line was. */
  readonly isGone: boolean;
}

/** No marks. */
export const NO_MARKS: Marks = { problems: [], here: undefined, shown: undefined, isGone: false };

const setMarks = StateEffect.define<Marks>();

/** Marks a text. */
export function mark(view: EditorView, marks: Marks): void {
  view.dispatch({ effects: setMarks.of(marks) });
}

/** What is wrong with a line, under it. */
class Message extends WidgetType {
  constructor(readonly text: string) {
    super();
  }

  override eq(other: Message): boolean {
    return other.text === this.text;
  }

  override toDOM(): HTMLElement {
    const element = document.createElement('div');
    element.className = 'cm-message';
    element.textContent = this.text;
    return element;
  }
}

function decorations(text: Text, { problems, here, shown, isGone }: Marks): DecorationSet {
  const known = (line: number | undefined): line is number => line !== undefined && line >= 1 && line <= text.lines;
  const ranges = [];
  if (known(here)) ranges.push(Decoration.line({ class: 'cm-here' }).range(text.line(here).from));
  if (known(shown))
    ranges.push(Decoration.line({ class: isGone ? 'cm-shown cm-gone' : 'cm-shown' }).range(text.line(shown).from));
  for (const { line, column, length, message } of problems) {
    if (!known(line)) continue;
    const { from, to } = text.line(line);
    ranges.push(Decoration.line({ class: 'cm-wrong' }).range(from));
    ranges.push(Decoration.widget({ widget: new Message(message), block: true, side: 1 }).range(to));
    const start = Math.min(to, from + (column ?? 1) - 1);
    const end = Math.min(to, start + Math.max(1, length ?? 1));
    if (column !== undefined && end > start) ranges.push(Decoration.mark({ class: 'cm-error' }).range(start, end));
  }
  return Decoration.set(ranges, true);
}

/** Lines and columns that are wrong, each with its message under it; the line where the machine is. */
export const marks: Extension = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(set, { changes, effects, newDoc }) {
    const asked = effects.findLast((effect) => effect.is(setMarks));
    if (asked?.is(setMarks)) return decorations(newDoc, asked.value);
    return set.map(changes);
  },
  provide: (field) => EditorView.decorations.from(field),
});

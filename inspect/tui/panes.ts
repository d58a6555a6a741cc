import type { PaneName } from './layout.js';
import { codePane, contextPane, registersPane } from './machine-panes.js';
import { channelsPane, coroutinesPane, outputPane, stackPane, stopsPane } from './memory-panes.js';
import { type Item, keyOf, type PaneInput, type PaneText, type Subject } from './pane.js';

/** What makes each pane's text. */
const MAKERS: Readonly<Record<PaneName, (input: PaneInput) => PaneText>> = {
  code: codePane,
  registers: registersPane,
  ctx: contextPane,
  stack: stackPane,
  coroutines: coroutinesPane,
  channels: channelsPane,
  output: outputPane,
  stops: stopsPane,
};

/** A pane's text for a moment. */
export function paneText(pane: PaneName, input: PaneInput): PaneText {
  return MAKERS[pane](input);
}

/** Index of the item that a selection, by its key, stands on; -1 if it is not there any more. */
export function selectedIndex(items: readonly Item[], key: string | undefined): number {
  return items.findIndex(({ subject }) => subject !== undefined && keyOf(subject) === key);
}

/** What commands are about: the selection, or else the item in the centre. */
export function subjectOf(items: readonly Item[], key: string | undefined): Subject | undefined {
  return (items[selectedIndex(items, key)] ?? items.find(({ isCentre }) => isCentre === true))?.subject;
}

/**
 * The selection so many items further.
 * @returns a key; undefined if nothing can be selected
 */
export function movedSelection(items: readonly Item[], key: string | undefined, by: number): string | undefined {
  const keys = items.flatMap(({ subject }) => (subject === undefined ? [] : [keyOf(subject)]));
  if (keys.length === 0) return undefined;
  const current = subjectOf(items, key);
  const from = current === undefined ? -Math.sign(by) : keys.indexOf(keyOf(current));
  const to = current === undefined ? (by > 0 ? 0 : keys.length - 1) : from + by;
  return keys[Math.max(0, Math.min(keys.length - 1, to))];
}

/**
 * The items that are seen of a pane: around the selection, or the centre.
 * @param rows that there is room for
 */
export function visible(items: readonly Item[], key: string | undefined, rows: number): readonly Item[] {
  if (items.length <= rows) return items;
  const selected = selectedIndex(items, key);
  const centre =
    selected >= 0
      ? selected
      : Math.max(
          0,
          items.findIndex(({ isCentre }) => isCentre === true),
        );
  const first = Math.max(0, Math.min(items.length - rows, centre - (rows >> 1)));
  return items.slice(first, first + rows);
}

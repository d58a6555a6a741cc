import { Box, Text, useInput } from 'ink';
import { type ReactElement, useSyncExternalStore } from 'react';
import type { Colors } from '../format.js';
import { footLines, headLines } from './frame-lines.js';
import { keyOf } from './keys.js';
import { type Area, PANES, SMALLEST } from './layout.js';
import { cutTo, type Line, paintLine, selected, span } from './line.js';
import { paneText, selectedIndex, visible } from './panes.js';
import type { Overlay, State, Stepper } from './stepper.js';

/** What is drawn with. */
interface Drawing {
  readonly state: State;
  readonly paint: Colors;
}

/** The names of the keys that ink reports by a field of their own. */
const NAMED_KEYS = {
  upArrow: '↑',
  downArrow: '↓',
  leftArrow: '←',
  rightArrow: '→',
  return: 'Enter',
  escape: 'Escape',
  backspace: 'Backspace',
  // What most terminals send for the backspace key, ink calls delete.
  delete: 'Backspace',
  pageUp: 'PageUp',
  pageDown: 'PageDown',
  home: 'Home',
  end: 'End',
} as const;

/** The whole screen. @param command the command line that leads to a moment */
export function App({
  stepper,
  paint,
  command,
}: {
  readonly stepper: Stepper;
  readonly paint: Colors;
  readonly command: (moment: number) => string;
}): ReactElement {
  const state = useSyncExternalStore(
    (changed) => stepper.subscribe(changed),
    () => stepper.state,
  );
  useInput((input, key) => {
    const named = (Object.keys(NAMED_KEYS) as (keyof typeof NAMED_KEYS)[]).find((name) => key[name]);
    if (named !== undefined) stepper.press(NAMED_KEYS[named]);
    else if (key.tab) stepper.press(key.shift ? 'Shift-Tab' : 'Tab');
    else if (key.ctrl) stepper.press(`Ctrl-${input}`);
    // Keys that come fast come together.
    else for (const character of input) stepper.press(keyOf(character));
  });
  const { columns, rows, layout, overlay } = state;
  if (layout === undefined) {
    const text = `the screen has ${columns}x${rows} characters, and ${SMALLEST.columns}x${SMALLEST.rows} are needed; q quits`;
    return <Text wrap="wrap">{text}</Text>;
  }
  const lines = (all: readonly Line[]): ReactElement[] =>
    // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place on the screen
    all.map((line, row) => <TextLine key={row} line={cutTo(line, columns)} paint={paint} />);
  return (
    <Box flexDirection="column" width={columns} height={rows}>
      {lines(headLines(state, layout.head))}
      {overlay !== undefined ? (
        <OverlayText overlay={overlay} rows={stepper.pageRows} columns={columns} paint={paint} />
      ) : (
        layout.bands.map((band, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a band is its place on the screen
          <Box key={index} height={band.height}>
            {band.columns.map(({ width, areas }) => (
              <Box key={areas[0].pane} flexDirection="column" width={width}>
                {areas.map((area) => (
                  <Pane key={area.pane} area={area} state={state} paint={paint} />
                ))}
              </Box>
            ))}
          </Box>
        ))
      )}
      {lines(footLines(state, command(state.view.moment)))}
    </Box>
  );
}

function TextLine({ line, paint }: { readonly line: Line; readonly paint: Colors }): ReactElement {
  return <Text wrap="truncate">{paintLine(line, paint)}</Text>;
}

/** `─ 2 registers ───`: with ▸ in front of the one that has the keys. */
function titleLine(text: string, width: number, hasKeys: boolean): Line {
  const title = ` ${text} `;
  const [start, rest] = [hasKeys ? '▸' : '─', '─'.repeat(Math.max(0, width - title.length - 2))];
  return [span(start, hasKeys ? 'mark' : 'dim'), span(title, hasKeys ? 'mark' : 'bold'), span(rest, 'dim')];
}

function Pane({ area, state, paint }: Drawing & { readonly area: Area }): ReactElement {
  const { pane, width, height } = area;
  const { focus, selection, view, stops } = state;
  // A column of space keeps the pane on the right apart.
  const room = width - 1;
  const { title, heading = [], items, columns = 1 } = paneText(pane, { view, stops, width: room, height: height - 1 });
  const rows = Math.max(0, height - 1 - heading.length);
  const key = focus === pane ? selection[pane] : undefined;
  const seen = columns === 1 ? visible(items, key, rows) : items;
  const chosen = selectedIndex(seen, key);
  const drawn = seen.map(({ line }, index) => (index === chosen ? selected(line) : line));
  const perColumn = columns === 1 ? rows : Math.ceil(items.length / columns);
  const body = Array.from({ length: Math.min(rows, perColumn) }, (_, row) =>
    Array.from({ length: columns }, (_, column) => drawn[row + column * perColumn] ?? []).flat(),
  );
  const number = PANES.indexOf(pane) + 1;
  const lines = [titleLine(`${number} ${title}`, room, focus === pane), ...heading, ...body];
  return (
    <Box flexDirection="column" width={width} height={height}>
      {lines.map((line, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place on the screen
        <TextLine key={row} line={cutTo(line, room)} paint={paint} />
      ))}
    </Box>
  );
}

function OverlayText({
  overlay,
  rows,
  columns,
  paint,
}: {
  readonly overlay: Overlay;
  readonly rows: number;
  readonly columns: number;
  readonly paint: Colors;
}): ReactElement {
  const { title, lines, top } = overlay;
  const rest = lines.length - top - rows;
  const more = rest > 0 ? `; Space shows ${rest} more lines` : '';
  const seen = lines.slice(top, top + rows).map((text) => [span(text)]);
  return (
    <Box flexDirection="column" height={rows + 1}>
      {[titleLine(`${title}${more}`, columns, true), ...seen].map((line, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place on the screen
        <TextLine key={row} line={cutTo(line, columns)} paint={paint} />
      ))}
    </Box>
  );
}

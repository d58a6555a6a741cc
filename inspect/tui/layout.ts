/** The panes, in the order of their numbers. */
export const PANES = ['code', 'registers', 'ctx', 'stack', 'coroutines', 'channels', 'output', 'stops'] as const;
export type PaneName = (typeof PANES)[number];

/** A part of the screen, in characters. The title is its first row. */
export interface Area {
  readonly pane: PaneName;
  readonly width: number;
  readonly height: number;
}

/** Rows of areas, from the top; the columns of each are of its height, and may be divided again. */
export interface Band {
  readonly height: number;
  readonly columns: readonly { readonly width: number; readonly areas: readonly Area[] }[];
}

/** What is on the screen besides the lines above and below. */
export interface Layout {
  /** Lines above the panes: the moment, and if there is room who runs when. */
  readonly head: number;
  readonly bands: readonly Band[];
}

/** Lines below the panes: what has happened, and the command that leads here. */
export const FOOT = 2;
/** No screen smaller than this can show anything. */
export const SMALLEST = { columns: 60, rows: 16 } as const;

/** Ten slots with a title, and 18 registers; with one more row there is a line of what the columns are. */
const CTX_ROWS = 11;
const REGISTER_ROWS = 19;
/** With fewer rows than this, there are no such lines. */
const ROWS_WITH_HEADINGS = 38;
/** Of registers with room for all 64 bits three times. */
const WIDE_REGISTERS = 63;

/**
 * Divides a screen among the panes.
 * @param focus the pane that must be seen
 * @param zoomed whether it gets all of it
 * @returns undefined if the screen is too small
 */
export function layoutOf(columns: number, rows: number, focus: PaneName, zoomed: boolean): Layout | undefined {
  if (columns < SMALLEST.columns || rows < SMALLEST.rows) return undefined;
  const head = rows >= 30 ? 3 : 1;
  const height = rows - head - FOOT;
  if (zoomed) return { head, bands: [band(height, [{ width: columns, panes: [[focus, height]] }])] };
  if (columns >= 180 && height >= 42) return { head, bands: large(columns, height) };
  if (columns >= 110 && height >= 33) return { head, bands: medium(columns, height, focus) };
  return { head, bands: small(columns, height, focus) };
}

type Column = { readonly width: number; readonly panes: readonly (readonly [PaneName, number])[] };

function band(height: number, columns: readonly Column[]): Band {
  return {
    height,
    columns: columns.map(({ width, panes }) => ({
      width,
      areas: panes.map(([pane, rows]) => ({ pane, width, height: rows })),
    })),
  };
}

/** Code and ctx above, and of the others the one that was chosen. */
function small(columns: number, height: number, focus: PaneName): Band[] {
  const above = Math.max(6, Math.min(CTX_ROWS, height - 10));
  const right = Math.min(44, Math.floor(columns * 0.45));
  const below = focus === 'code' || focus === 'ctx' ? 'registers' : focus;
  return [
    band(above, [
      { width: columns - right, panes: [['code', above]] },
      { width: right, panes: [['ctx', above]] },
    ]),
    band(height - above, [{ width: columns, panes: [[below, height - above]] }]),
  ];
}

function medium(columns: number, height: number, focus: PaneName): Band[] {
  const right = Math.min(WIDE_REGISTERS + 1, columns - 50);
  const left = columns - right;
  const heading = height < ROWS_WITH_HEADINGS ? 0 : 1;
  const above = REGISTER_ROWS + heading;
  const last = height - above - CTX_ROWS - heading;
  const middle = height - above - last;
  return [
    band(above, [
      { width: left, panes: [['code', above]] },
      { width: right, panes: [['registers', above]] },
    ]),
    band(middle, [
      { width: left, panes: [['stack', middle]] },
      { width: right, panes: [['ctx', middle]] },
    ]),
    band(last, [
      { width: Math.floor(columns * 0.4), panes: [['coroutines', last]] },
      { width: Math.floor(columns * 0.35), panes: [['channels', last]] },
      {
        width: columns - Math.floor(columns * 0.4) - Math.floor(columns * 0.35),
        panes: [[focus === 'stops' ? 'stops' : 'output', last]],
      },
    ]),
  ];
}

function large(columns: number, height: number): Band[] {
  const middle = WIDE_REGISTERS + 1;
  const left = Math.floor((columns - middle) / 2);
  const last = 9;
  const above = height - last;
  const stack = above - CTX_ROWS - 1;
  return [
    band(above, [
      { width: left, panes: [['code', above]] },
      {
        width: middle,
        panes: [
          ['registers', REGISTER_ROWS + 1],
          ['ctx', above - REGISTER_ROWS - 1],
        ],
      },
      {
        width: columns - left - middle,
        panes: [
          ['stack', stack],
          ['coroutines', above - stack],
        ],
      },
    ]),
    band(last, [
      { width: left, panes: [['channels', last]] },
      { width: middle, panes: [['stops', last]] },
      { width: columns - left - middle, panes: [['output', last]] },
    ]),
  ];
}

/** The areas of a layout. */
export function areasOf({ bands }: Layout): Area[] {
  return bands.flatMap(({ columns }) => columns.flatMap(({ areas }) => areas));
}

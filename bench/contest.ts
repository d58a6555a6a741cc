import { type Effort, interleave, type Spread, spread } from './measure.js';

/** A line of the table. */
export interface Row {
  readonly what: string;
  /** An engine, another tool, or this CPU. */
  readonly on: string;
  readonly unit: string;
  /** Of several runs; absent if it was not measured, and then `missing` says why. */
  readonly figure?: Spread;
  readonly missing?: string;
  readonly ratios: readonly Ratio[];
}

/** How many times another row's figure a figure is: the median of the ratios of each round. */
export interface Ratio {
  readonly value: number;
  readonly what: string;
  readonly on: string;
}

/** What names a row within its part. */
export interface Name {
  readonly what: string;
  readonly on: string;
}

interface Entry extends Name {
  readonly unit: string;
  readonly run?: () => number | Promise<number>;
  readonly missing?: string;
  readonly against: readonly Partial<Name>[];
}

const isNamed = (one: Name, { what, on }: Name): boolean => one.what === what && one.on === on;

/** Things that are measured in turn, and the rows that this becomes. */
export class Contest {
  readonly #entries: Entry[] = [];

  /**
   * @param run returns the figure, in that unit
   * @param against the rows to compare with, by what differs from this one's name; those that are not there are left out
   */
  add(name: Name, unit: string, run: () => number | Promise<number>, ...against: Partial<Name>[]): void {
    this.#entries.push({ ...name, unit, run, against });
  }

  /** A row without a figure. @param missing what is not there, or why */
  miss(name: Name, unit: string, missing: string): void {
    this.#entries.push({ ...name, unit, missing, against: [] });
  }

  /** Measures everything. Rows of one thing come together, otherwise in the order in which they were added. */
  async rows({ rounds }: Pick<Effort, 'rounds'>): Promise<Row[]> {
    const running = this.#entries.flatMap((entry) => (entry.run === undefined ? [] : [{ ...entry, run: entry.run }]));
    const figures = await interleave(
      running.map(({ run }) => run),
      rounds,
    );
    const of = (name: Name): number[] | undefined => figures[running.findIndex((entry) => isNamed(entry, name))];
    const rows = this.#entries.map(({ what, on, unit, missing, against }): Row => {
      const mine = of({ what, on });
      if (mine === undefined) return { what, on, unit, missing: missing ?? '', ratios: [] };
      const ratios = against.flatMap((other) => {
        const name = { what, on, ...other };
        const theirs = of(name);
        if (theirs === undefined || theirs === mine) return [];
        const value = spread(mine.map((figure, at) => figure / theirs[at])).median;
        return Number.isFinite(value) ? [{ ...name, value }] : [];
      });
      return { what, on, unit, figure: spread(mine), ratios };
    });
    const whats = [...new Set(rows.map(({ what }) => what))];
    return whats.flatMap((what) => rows.filter((row) => row.what === what));
  }
}

/** A row of that name, if it was measured. */
export function findRow(rows: readonly Row[] | undefined, name: Name): Row | undefined {
  return rows?.find((row) => isNamed(row, name) && row.figure !== undefined);
}

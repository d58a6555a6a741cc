import Table from 'cli-table3';
import { type Colors, coroutineName, hex, NO_LINES_BETWEEN_ROWS } from '../format.js';
import type { Input, Provenance, ProvenanceStep } from './step.js';

const named = ({ name, value }: Input): string => `${name} = ${hex(value)}`;

/** From where a step's value came, in words. */
export function sourceText({ kind, text, door, channel, from, inputs }: ProvenanceStep): string {
  const source = from?.name ?? '';
  const host = door ?? "one of Linux's system calls";
  switch (kind) {
    case 'copy':
      return `from ${source}`;
    case 'load':
      return `loaded from ${source}`;
    case 'store':
      return `stored from ${source}`;
    case 'push':
      return `pushed from ${source}`;
    case 'pop':
      return `popped from ${source}`;
    case 'save':
      return `saved from ${source}`;
    case 'restore':
      return `restored from ${source}`;
    case 'transfer':
      return channel === undefined
        ? `copied by the host in ${host}, from ${source}`
        : `moved by the host in ${host}, over channel <${channel}>, from ${source}`;
    case 'constant':
      return text.startsWith('call') ? 'the address to return to' : 'a constant';
    case 'address':
      return 'an address';
    case 'arithmetic':
      return inputs.length === 0 ? 'computed' : `computed from ${inputs.map(named).join(', ')}`;
    case 'part':
      return `a part of it only; from ${inputs.map(named).join(', ')}`;
    case 'result':
      return `the result of ${host}`;
    case 'host':
      return `written by the host in ${host}`;
    case 'start':
    case 'unseen':
      return text;
  }
}

function change({ name, before, after }: ProvenanceStep, paint: Colors): string {
  const was = before === undefined ? '' : `${hex(before)} → `;
  return `${paint.bold(name)}: ${paint.dim(was)}${paint.yellow(hex(after))}`;
}

function row(step: ProvenanceStep, paint: Colors): string[] {
  const { kind, moment, coroutine, text, at } = step;
  if (kind === 'start' || kind === 'unseen')
    return [`${moment}`, '', '', `${paint.bold(step.name)}: ${paint.yellow(hex(step.after))}`, sourceText(step)];
  const who = coroutine === undefined ? '' : coroutineName(coroutine);
  return [`${moment}`, who, `${text}\n${paint.dim(at)}`, change(step, paint), paint.cyan(sourceText(step))];
}

/** From here on, pairs of a restore and its save are folded: what lies between the first and the last of them. */
const FOLDED = 3;

/** How many times from a step on the same register comes out of the same slot, and went into it. */
function crossings(steps: readonly ProvenanceStep[], start: number): number {
  const [restore, save] = [steps[start], steps[start + 1]];
  let count = 0;
  for (let at = start; steps[at]?.kind === 'restore' && steps[at + 1]?.kind === 'save'; at += 2) {
    if (steps[at].name !== restore.name || steps[at + 1].name !== save.name) break;
    count += 1;
  }
  return count;
}

function rows(steps: readonly ProvenanceStep[], paint: Colors): string[][] {
  const found: string[][] = [];
  for (let at = 0; at < steps.length; ) {
    const count = crossings(steps, at);
    if (count <= FOLDED) {
      found.push(row(steps[at], paint));
      at += 1;
      continue;
    }
    const [first, last] = [steps.slice(at, at + 2), steps.slice(at + 2 * count - 2, at + 2 * count)];
    const more = `${count - 2} more times restored and saved, with each switch`;
    found.push(...first.map((step) => row(step, paint)), ['…', '', paint.dim(more), '', '']);
    found.push(...last.map((step) => row(step, paint)));
    at += 2 * count;
  }
  return found;
}

/** A chain as a table, the last write first. @param paint colours, or none */
export function whyTable({ moment, name, value, steps }: Provenance, paint: Colors): string {
  const table = new Table({
    head: ['moment', 'who', 'instruction', 'wrote', 'from where'].map((text) => paint.bold(text)),
    style: { head: [], border: paint.isColorSupported ? ['gray'] : [] },
    chars: NO_LINES_BETWEEN_ROWS,
  });
  table.push(...rows(steps, paint));
  return `${paint.bold(name)} at moment ${moment}: ${paint.yellow(hex(value))}\n${table.toString()}`;
}

const place = ({ name, query, value }: Input): unknown => ({ place: query, name, value: hex(value) });

/** The same as one line of JSON; values in hexadecimal. @param more fields */
export function whyJson({ moment, name, value, steps, end }: Provenance, more: object = {}): string {
  const all = steps.map((step) => ({
    kind: step.kind,
    moment: step.moment,
    coroutine: step.coroutine ?? null,
    instruction: step.text,
    at: step.at,
    wrote: step.name,
    before: step.before === undefined ? null : hex(step.before),
    after: hex(step.after),
    ...(step.door === undefined ? {} : { door: step.door }),
    ...(step.channel === undefined ? {} : { channel: step.channel }),
    from: step.from === undefined ? null : place(step.from),
    inputs: step.inputs.map(place),
  }));
  return JSON.stringify({ moment, place: name, value: hex(value), steps: all, end, ...more });
}

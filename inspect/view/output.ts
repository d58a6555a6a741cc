import type { Session } from '../session.js';

/** A line that the program has written; the last one may not be complete. */
export interface OutputLine {
  /** Standard output (1) or standard error (2). */
  readonly stream: 1 | 2;
  readonly text: string;
}

/** The end of what the program has written up to a moment. */
export interface OutputView {
  /** In all. */
  readonly bytes: number;
  readonly lines: readonly OutputLine[];
}

/** No line that a screen shows is longer. */
const BYTES_OF_LINE = 512;

/** The bytes that were written up to each piece of output, counted once. */
const totals = new WeakMap<Session['history']['outputs'], number[]>();

/** @param count of lines, the last ones */
export function outputView({ history, moment }: Session, count: number): OutputView {
  const { outputs } = history;
  const sums = totals.get(outputs) ?? [];
  totals.set(outputs, sums);
  for (let index = sums.length; index < outputs.length; index++) {
    sums.push((sums[index - 1] ?? 0) + outputs[index].bytes.length);
  }
  const end = outputsUpTo(outputs, moment);
  const pieces: { readonly stream: 1 | 2; readonly bytes: Uint8Array }[] = [];
  let left = count * BYTES_OF_LINE;
  for (let index = end - 1; index >= 0 && left > 0; index--) {
    const { stream, bytes } = outputs[index];
    pieces.unshift({ stream, bytes: bytes.subarray(Math.max(0, bytes.length - left)) });
    left -= bytes.length;
  }
  return { bytes: sums[end - 1] ?? 0, lines: linesOf(pieces).slice(-count) };
}

function outputsUpTo(outputs: readonly { readonly moment: number }[], moment: number): number {
  let [low, high] = [0, outputs.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (outputs[middle].moment <= moment) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A line that is being made. */
interface OpenLine {
  readonly stream: 1 | 2;
  text: string;
}

/** Pieces as lines: each stream's own, in the order in which they began. */
function linesOf(pieces: readonly { readonly stream: 1 | 2; readonly bytes: Uint8Array }[]): OutputLine[] {
  const decoders = { 1: new TextDecoder(), 2: new TextDecoder() };
  const lines: OpenLine[] = [];
  const open: { 1?: OpenLine | undefined; 2?: OpenLine | undefined } = {};
  const begin = (stream: 1 | 2): OpenLine => {
    const line = { stream, text: '' };
    lines.push(line);
    return line;
  };
  for (const { stream, bytes } of pieces) {
    for (const [index, text] of decoders[stream].decode(bytes, { stream: true }).split('\n').entries()) {
      if (index > 0) {
        if (open[stream] === undefined) begin(stream);
        open[stream] = undefined;
      }
      if (text === '') continue;
      open[stream] ??= begin(stream);
      open[stream].text += text;
    }
  }
  return lines;
}

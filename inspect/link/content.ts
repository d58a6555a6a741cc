import type { Source } from '../../asm/statement.js';
import { shortly } from './check.js';
import { RunLinkError } from './error.js';
import type { LinkedFile, LinkedRun } from './linked-run.js';

/** Between the JSON, which has no zero byte, and the bytes of all objects. Base64 within it would be longer by a fifth. */
const END_OF_JSON = 0;

/** A run as the bytes that a link holds: JSON, in which objects have their size only, a zero, and the objects' bytes. */
export function encode(run: LinkedRun): Uint8Array {
  const json = JSON.stringify({
    name: run.name,
    arguments: run.arguments,
    environment: run.environment,
    seed: `${run.seed}`,
    memory: run.memory,
    moment: run.moment,
    runtime: run.runtime.map(({ name, text }) => ({ name, text })),
    files: run.files.map((file) => {
      if ('bytes' in file) return { name: file.name, size: file.bytes.length };
      return { name: file.name, text: file.text, ...(file.beside && { beside: true }) };
    }),
  });
  const parts = [
    new TextEncoder().encode(json),
    Uint8Array.of(END_OF_JSON),
    ...run.files.flatMap((file) => ('bytes' in file ? [file.bytes] : [])),
  ];
  const all = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** An object of JSON, of which each field is asked for by the type that it must have. */
class Fields {
  readonly #fields: ReadonlyMap<string, unknown>;

  /** @throws RunLinkError if it is no object, or has fields that are not known */
  constructor(
    value: unknown,
    private readonly what: string,
    known: readonly string[],
  ) {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new RunLinkError(`${what} is no object of JSON`);
    this.#fields = new Map(Object.entries(value));
    const other = [...this.#fields.keys()].find((name) => !known.includes(name));
    if (other !== undefined) throw new RunLinkError(`${what} has ${shortly(other)}, which is not known`);
  }

  has(name: string): boolean {
    return this.#fields.has(name);
  }

  /** Whether there is a true; a field that may be missing is never false. */
  isSet(name: string): boolean {
    if (this.has(name) && this.#fields.get(name) !== true) throw this.#wrong(name, 'not true');
    return this.has(name);
  }

  text(name: string): string {
    const value = this.#fields.get(name);
    if (typeof value !== 'string') throw this.#wrong(name, 'no text');
    return value;
  }

  number(name: string): number {
    const value = this.#fields.get(name);
    if (typeof value !== 'number') throw this.#wrong(name, 'no number');
    return value;
  }

  list(name: string): readonly unknown[] {
    const value = this.#fields.get(name);
    if (!Array.isArray(value)) throw this.#wrong(name, 'no list');
    return value;
  }

  texts(name: string): readonly string[] {
    return this.list(name).map((value) => {
      if (typeof value !== 'string') throw this.#wrong(name, 'no list of texts');
      return value;
    });
  }

  #wrong(name: string, how: string): RunLinkError {
    return new RunLinkError(`${this.what} has a field "${name}" that is ${how}`);
  }
}

function sourceOf(value: unknown): Source {
  const fields = new Fields(value, 'a source', ['name', 'text']);
  return { name: fields.text('name'), text: fields.text('text') };
}

/** @param take the next bytes of so many */
function fileOf(value: unknown, take: (size: number) => Uint8Array): LinkedFile {
  const fields = new Fields(value, 'a file', ['name', 'text', 'beside', 'size']);
  const name = fields.text('name');
  if (fields.has('size')) {
    if (fields.has('text') || fields.has('beside')) throw new RunLinkError('a file is both text and an object');
    return { name, bytes: take(fields.number('size')) };
  }
  return { name, text: fields.text('text'), ...(fields.isSet('beside') && { beside: true }) };
}

function jsonIn(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    throw new RunLinkError('what it holds cannot be read');
  }
}

function seedOf(text: string): bigint {
  if (!/^\d{1,20}$/.test(text)) throw new RunLinkError(`the seed ${shortly(text)} is no number`);
  return BigInt(text);
}

/**
 * The run that was encoded, in which everything has the type that it must have.
 * @throws RunLinkError if it is no such thing
 */
export function decode(bytes: Uint8Array): LinkedRun {
  const end = bytes.indexOf(END_OF_JSON);
  if (end < 0) throw new RunLinkError('what it holds is cut off');
  const known = ['name', 'arguments', 'environment', 'seed', 'memory', 'moment', 'runtime', 'files'];
  const fields = new Fields(jsonIn(bytes.subarray(0, end)), 'the run', known);
  let at = end + 1;
  const take = (size: number): Uint8Array => {
    if (!Number.isSafeInteger(size) || size < 0 || size > bytes.length - at) {
      throw new RunLinkError(`an object has ${size} bytes, and ${bytes.length - at} are there`);
    }
    at += size;
    return bytes.slice(at - size, at);
  };
  const run = {
    name: fields.text('name'),
    arguments: fields.texts('arguments'),
    environment: fields.texts('environment'),
    seed: seedOf(fields.text('seed')),
    memory: fields.number('memory'),
    moment: fields.number('moment'),
    runtime: fields.list('runtime').map(sourceOf),
    files: fields.list('files').map((file) => fileOf(file, take)),
  };
  if (at !== bytes.length) throw new RunLinkError('there is more in it than it says');
  return run;
}

import { Cursor } from './cursor.js';

/** The relocated contents of one object's debug sections; empty arrays where there are none. */
export interface DebugSections {
  /** .debug_line */
  readonly line: Uint8Array;
  /** .debug_line_str, of version 5 only */
  readonly lineStr: Uint8Array;
  /** .debug_str */
  readonly str: Uint8Array;
}

/** Code from address `start` up to but not including `end`, and the line of a file, from 1, that it was compiled from. */
export interface LineRange {
  readonly start: number;
  readonly end: number;
  readonly file: string;
  readonly line: number;
}

/** Forms of attributes that line tables may use: DWARF 5, section 7.5.6. */
const FORM = {
  data2: 0x05,
  data4: 0x06,
  data8: 0x07,
  string: 0x08,
  block: 0x09,
  data1: 0x0b,
  strp: 0x0e,
  udata: 0x0f,
  data16: 0x1e,
  lineStrp: 0x1f,
} as const;

/** What a field of a directory or file entry says: DWARF 5, section 6.2.4.1. */
const CONTENT = { path: 1, directoryIndex: 2 } as const;

/** Standard opcodes: DWARF 5, section 6.2.5.2. Four others have no operands and change nothing that matters here. */
const STANDARD = {
  copy: 1,
  advancePc: 2,
  advanceLine: 3,
  setFile: 4,
  constAddPc: 8,
  fixedAdvancePc: 9,
} as const;

/** Extended opcodes: DWARF 5, section 6.2.5.3, and define_file of versions before. */
const EXTENDED = { endSequence: 1, setAddress: 2, defineFile: 3 } as const;

/** The strings of a section that others point into, each read once. */
class StringSection {
  readonly #bytes: Uint8Array;
  readonly #read = new Map<number, string>();
  /** Strings may share their tails, and in a damaged table each byte could start one that goes on to the end. */
  #budget: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#budget = 4 * bytes.length;
  }

  /** The string at an offset, or an empty one if there is none. */
  at(offset: number): string {
    const known = this.#read.get(offset);
    if (known !== undefined || offset >= this.#bytes.length || this.#budget < 0) return known ?? '';
    const cursor = new Cursor(this.#bytes, offset);
    const text = cursor.text();
    this.#budget -= cursor.position - offset;
    this.#read.set(offset, text);
    return text;
  }
}

/** A file's name. There is one object for each name, so rows can be compared without comparing text. */
interface SourceFile {
  readonly name: string;
}

/**
 * A path without what only the machine that compiled it knows: of an absolute path the last part, of a relative one
 * all of it, but for parts that lead nowhere.
 */
function tidy(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  return (path.startsWith('/') ? parts.slice(-1) : parts).join('/');
}

/** All files of an object's table. */
class SourceFiles {
  readonly #numbers = new Map<string, number>();
  readonly #files = new Map<number, SourceFile>();

  /** The file of a name in a directory, '' being the one the compiler ran in; nothing if it has no name. */
  named(directory: string, path: string): SourceFile | undefined {
    const name = tidy(path);
    if (name === '') return undefined;
    const prefix = directory.startsWith('/') || path.startsWith('/') ? '' : tidy(directory);
    // Looked up by its two parts: looking up the joined name would copy a long directory for each of its files.
    const key = this.#number(prefix) * 2 ** 26 + this.#number(name);
    let file = this.#files.get(key);
    if (file === undefined) {
      file = { name: prefix === '' ? name : `${prefix}/${name}` };
      this.#files.set(key, file);
    }
    return file;
  }

  #number(text: string): number {
    const known = this.#numbers.get(text) ?? this.#numbers.size;
    this.#numbers.set(text, known);
    return known;
  }
}

/** A directory or file of a table as it is written there. */
interface Entry {
  readonly path: string;
  readonly directory: number;
}

/** A file's entry in versions before 5: name, directory, and time and length, which nobody fills in. */
function readEntry(cursor: Cursor): Entry {
  const path = cursor.text();
  if (path === '') return { path, directory: 0 };
  const directory = cursor.uleb128();
  cursor.uleb128();
  cursor.uleb128();
  return { path: cursor.overrun ? '' : path, directory };
}

/** What the line number program of a unit needs to know: DWARF 5, section 6.2.4. */
interface Header {
  readonly minimumInstructionLength: number;
  readonly lineBase: number;
  /** 0 only if damaged; the rows of special opcodes then have no line. */
  readonly lineRange: number;
  readonly opcodeBase: number;
  /** How many operands each standard opcode has; that of opcode 1 is the first. */
  readonly operandCounts: Uint8Array;
  /** Files under the numbers that the program uses. A file without a name is missing. */
  readonly files: (SourceFile | undefined)[];
  /** The file of an entry that the program itself brings. */
  readonly fileOf: (entry: Entry) => SourceFile | undefined;
}

/** Reads the headers of one object's units, and the strings they point to. */
class HeaderReader {
  readonly #files = new SourceFiles();
  readonly #lineStr: StringSection;
  readonly #str: StringSection;

  constructor(sections: DebugSections) {
    this.#lineStr = new StringSection(sections.lineStr);
    this.#str = new StringSection(sections.str);
  }

  /** Reads what follows the length of a header, which is where the cursor ends. */
  read(cursor: Cursor, version: number, offsetSize: number): Header {
    const minimumInstructionLength = cursor.byte();
    if (version >= 4) cursor.skip(1); // Operations in an instruction: 1, but for processors that are not ours.
    cursor.skip(1); // Whether rows are statements by default.
    const lineBase = (cursor.byte() << 24) >> 24;
    const lineRange = cursor.byte();
    const opcodeBase = cursor.byte();
    const operandCounts = cursor.bytes.subarray(cursor.position, cursor.position + Math.max(opcodeBase - 1, 0));
    cursor.skip(operandCounts.length);
    const directories: string[] = [];
    const files: (SourceFile | undefined)[] = [];
    const fileOf = ({ path, directory }: Entry): SourceFile | undefined => {
      const name = directories[directory] ?? '';
      return this.#files.named(name === directories[0] ? '' : name, path);
    };
    if (version === 5) {
      for (const { path } of this.#readEntries(cursor, offsetSize)) directories.push(path);
      for (const entry of this.#readEntries(cursor, offsetSize)) files.push(fileOf(entry));
    } else {
      directories.push(''); // Number 0 is where the compiler ran, which only .debug_info says.
      for (let path = cursor.text(); path !== ''; path = cursor.text()) directories.push(path);
      files.push(undefined); // Files count from 1.
      for (let entry = readEntry(cursor); entry.path !== ''; entry = readEntry(cursor)) files.push(fileOf(entry));
    }
    return { minimumInstructionLength, lineBase, lineRange, opcodeBase, operandCounts, files, fileOf };
  }

  /** A table of directories or of files, of version 5: what fields an entry has, then the entries. */
  #readEntries(cursor: Cursor, offsetSize: number): Entry[] {
    const fields: { readonly content: number; readonly form: number }[] = [];
    for (let left = cursor.byte(); left > 0; left--) fields.push({ content: cursor.uleb128(), form: cursor.uleb128() });
    const count = cursor.uleb128();
    const entries: Entry[] = [];
    if (fields.length === 0) return entries;
    // Every form takes at least a byte, so bytes bound the entries, however many there are said to be.
    while (entries.length < count && cursor.left > 0) {
      let path = '';
      let directory = 0;
      for (const { content, form } of fields) {
        const value = this.#readForm(cursor, form, offsetSize);
        if (content === CONTENT.path && typeof value === 'string') path = value;
        if (content === CONTENT.directoryIndex && typeof value === 'number') directory = value;
      }
      if (!cursor.overrun) entries.push({ path, directory });
    }
    return entries;
  }

  /** A field's value; nothing if it cannot be a path or an index. */
  #readForm(cursor: Cursor, form: number, offsetSize: number): string | number | undefined {
    switch (form) {
      case FORM.string:
        return cursor.text();
      case FORM.lineStrp:
        return this.#lineStr.at(cursor.unsigned(offsetSize));
      case FORM.strp:
        return this.#str.at(cursor.unsigned(offsetSize));
      case FORM.udata:
        return cursor.uleb128();
      case FORM.data1:
        return cursor.byte();
      case FORM.data2:
        return cursor.unsigned(2);
      case FORM.data4:
        return cursor.unsigned(4);
      case FORM.data8:
        return cursor.unsigned(8);
      case FORM.data16:
        cursor.skip(16);
        return undefined;
      case FORM.block:
        cursor.skip(cursor.uleb128());
        return undefined;
      default:
        cursor.giveUp(); // Of unknown length, so nothing behind it can be found.
        return undefined;
    }
  }
}

/** The row that a line number program is making, and the ranges made of rows so far. */
class Rows {
  address = 0;
  file: SourceFile | undefined;
  line = 1;
  readonly #ranges: LineRange[];
  /** The row before: what is between its address and the row's that comes next is its code. */
  #before = { valid: false, address: 0, line: 0 };
  #fileBefore: SourceFile | undefined;
  /** The last range, which grows while rows say the same, and its file. */
  #last = { start: 0, end: 0, file: '', line: 0 };
  #lastFile: SourceFile | undefined;

  constructor(
    ranges: LineRange[],
    readonly firstFile: SourceFile | undefined,
  ) {
    this.#ranges = ranges;
    this.file = firstFile;
  }

  add(): void {
    this.#closeRow();
    this.#before.valid = true;
    this.#before.address = this.address;
    this.#before.line = this.line;
    this.#fileBefore = this.file;
  }

  endSequence(): void {
    this.#closeRow();
    this.#before.valid = false;
    this.address = 0;
    this.file = this.firstFile;
    this.line = 1;
  }

  #closeRow(): void {
    const { valid, address: start, line } = this.#before;
    const file = this.#fileBefore;
    if (!valid || line === 0 || file === undefined) return;
    // Addresses that a number cannot hold are damage, or mark code that a linker left out.
    if (!(this.address > start && Number.isSafeInteger(this.address))) return;
    if (this.#last.end === start && this.#last.line === line && this.#lastFile === file) {
      this.#last.end = this.address;
      return;
    }
    this.#last = { start, end: this.address, file: file.name, line };
    this.#lastFile = file;
    this.#ranges.push(this.#last);
  }
}

/** Does what an extended opcode says: its operands are what the cursor holds. */
function runExtended(operands: Cursor, rows: Rows, header: Header): void {
  switch (operands.byte()) {
    case EXTENDED.endSequence:
      rows.endSequence();
      break;
    case EXTENDED.setAddress:
      rows.address = operands.unsigned(operands.left);
      break;
    case EXTENDED.defineFile:
      header.files.push(header.fileOf(readEntry(operands)));
      break;
  }
}

/** Runs a line number program: DWARF 5, section 6.2.5. Columns and what else a row may say is left aside. */
function run(program: Cursor, header: Header, rows: Rows): void {
  const { minimumInstructionLength, lineBase, lineRange, opcodeBase, operandCounts, files } = header;
  const advance = (adjustedOpcode: number): void => {
    rows.address += Math.floor(adjustedOpcode / lineRange) * minimumInstructionLength;
  };
  while (program.left > 0) {
    const opcode = program.byte();
    if (opcode >= opcodeBase && opcode !== 0) {
      advance(opcode - opcodeBase);
      rows.line = (rows.line + lineBase + ((opcode - opcodeBase) % lineRange)) >>> 0;
      rows.add();
      continue;
    }
    switch (opcode) {
      case 0: {
        const length = program.uleb128();
        const operands = new Cursor(program.bytes, program.position, program.position + length);
        program.skip(length);
        if (!program.overrun) runExtended(operands, rows, header);
        break;
      }
      case STANDARD.copy:
        rows.add();
        break;
      case STANDARD.advancePc:
        rows.address += program.uleb128() * minimumInstructionLength;
        break;
      case STANDARD.advanceLine:
        rows.line = (rows.line + program.sleb128()) >>> 0;
        break;
      case STANDARD.setFile:
        rows.file = files[program.uleb128()];
        break;
      case STANDARD.constAddPc:
        advance(255 - opcodeBase);
        break;
      case STANDARD.fixedAdvancePc:
        rows.address += program.unsigned(2);
        break;
      default:
        for (let left = operandCounts[opcode - 1] ?? 0; left > 0; left--) program.uleb128();
    }
  }
}

/** Reads the unit that the cursor is at, and goes to the next. */
function readUnit(section: Cursor, headers: HeaderReader, ranges: LineRange[]): void {
  let offsetSize = 4;
  let length = section.unsigned(4);
  if (length === 0xffffffff) {
    offsetSize = 8;
    length = section.unsigned(8);
  } else if (length >= 0xfffffff0) {
    section.giveUp(); // Reserved: nobody knows where the next unit is.
  }
  const unit = new Cursor(section.bytes, section.position, section.position + length);
  section.skip(length);
  const version = unit.unsigned(2);
  if (version < 2 || version > 5) return;
  if (version === 5) unit.skip(2); // The sizes of addresses, which each of them brings, and of segment selectors.
  const headerLength = unit.unsigned(offsetSize);
  const tables = new Cursor(unit.bytes, unit.position, Math.min(unit.position + headerLength, unit.end));
  unit.skip(headerLength);
  const header = headers.read(tables, version, offsetSize);
  run(unit, header, new Rows(ranges, header.files[1]));
}

/**
 * The lines of all code in an object, as its compiler wrote them into .debug_line: DWARF 2 to 5, section 6.2 of the
 * DWARF 5 standard. A file is named as in the compiler's command or #include ("f.c", "sub/x.h"), one in an absolute
 * directory by its last part. Neighbouring code of one line is one range; code without a line (0) or without a file is
 * in none. The order is the table's, not that of addresses, and code that a linker left out may still be at address 0.
 * It throws nothing: of a damaged table there is what could be read.
 */
export function readLineTable(sections: DebugSections): LineRange[] {
  const ranges: LineRange[] = [];
  const headers = new HeaderReader(sections);
  const section = new Cursor(sections.line);
  while (section.left > 0) readUnit(section, headers, ranges);
  return ranges;
}

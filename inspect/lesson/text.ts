import { type Anchor, readAnchor } from './anchor.js';
import { LessonError } from './error.js';
import { type Fact, readFact } from './fact.js';
import { type Option, type Question, readAsked } from './question.js';

/** A part of a lesson's text, to be read when the run is at its anchor. */
export interface Passage {
  readonly anchor: Anchor;
  /** Which of the lesson's programs; undefined if it has but one. */
  readonly program: string | undefined;
  /** Markdown. */
  readonly markdown: string;
  /** What the passage claims, true at its anchor; compared with the registers at the anchor before. */
  readonly facts: readonly Fact[];
  readonly questions: readonly Question[];
}

/** A lesson in one language. */
export interface LessonText {
  readonly title: string;
  /** Markdown, in front of the first passage. */
  readonly introduction: string;
  readonly passages: readonly Passage[];
}

const MARK = /^<!-- ([a-z]+)(?:: (.*?))? -->$/;
const OPTION = /^- <!-- if: (.*?) --> (.+)$/;

interface Open {
  lines: string[];
}

class Reader {
  readonly #file: string;
  readonly #passages: (Passage & { readonly facts: Fact[]; readonly questions: Question[] } & Open)[] = [];
  readonly #introduction: Open = { lines: [] };
  #title: string | undefined;
  #program: string | undefined;
  /** What lines of text belong to. */
  #open: Open = this.#introduction;
  #asking:
    | { readonly line: number; readonly text: string; prompt: Open; options: Option[]; why: Open | undefined }
    | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  read(text: string): LessonText {
    for (const [index, line] of text.split('\n').entries()) this.#line(line.trimEnd(), index + 1);
    this.#ask();
    if (this.#title === undefined) throw this.#refuse(1, 'a lesson begins with a line "# Title"');
    if (this.#passages.length === 0) {
      throw this.#refuse(undefined, 'there is no passage: write <!-- at: start --> in front of the first one');
    }
    return {
      title: this.#title,
      introduction: markdown(this.#introduction),
      passages: this.#passages.map(({ lines, ...passage }) => ({ ...passage, markdown: markdown({ lines }) })),
    };
  }

  #refuse(line: number | undefined, problem: string): LessonError {
    return new LessonError(this.#file, line, problem);
  }

  #line(line: string, number: number): void {
    if (this.#title === undefined && line.startsWith('# ')) {
      this.#title = line.slice(2);
      return;
    }
    const option = OPTION.exec(line);
    if (option !== null) {
      if (this.#asking === undefined || this.#asking.why !== undefined) {
        throw this.#refuse(number, 'an option stands behind <!-- ask: choice at … --> and in front of <!-- why -->');
      }
      this.#asking.options.push({ fact: readFact(option[1], this.#file, number), text: option[2] });
      return;
    }
    const mark = MARK.exec(line);
    if (mark !== null) this.#mark(mark[1], mark[2] ?? '', number);
    else if (line.includes('<!--') || line.includes('-->')) {
      throw this.#refuse(number, 'a mark is a line of its own, like <!-- at: main -->');
    } else this.#open.lines.push(line);
  }

  #mark(word: string, rest: string, number: number): void {
    const passage = this.#passages.at(-1);
    if (word === 'program') {
      this.#ask();
      this.#program = rest;
    } else if (word === 'at') {
      this.#ask();
      const anchor = readAnchor(rest, this.#file, number);
      const next = { anchor, program: this.#program, markdown: '', facts: [], questions: [], lines: [] };
      this.#passages.push(next);
      this.#open = next;
    } else if (passage === undefined) {
      throw this.#refuse(number, `"${word}" belongs to a passage: write <!-- at: … --> first`);
    } else if (word === 'fact') {
      passage.facts.push(readFact(rest, this.#file, number));
    } else if (word === 'ask') {
      this.#ask();
      const prompt = { lines: [] };
      this.#asking = { line: number, text: rest, prompt, options: [], why: undefined };
      this.#open = prompt;
    } else if (word === 'why' && this.#asking !== undefined) {
      this.#asking.why = { lines: [] };
      this.#open = this.#asking.why;
    } else {
      throw this.#refuse(number, `"${word}" is no mark here: there are program, at, fact, ask, and why behind ask`);
    }
  }

  /** Ends the question that is open. */
  #ask(): void {
    if (this.#asking === undefined) return;
    const { line, text, prompt, options, why } = this.#asking;
    this.#asking = undefined;
    const asked = readAsked(text, this.#file, line);
    if (markdown(prompt) === '') throw this.#refuse(line, 'the question has no text');
    if (why === undefined || markdown(why) === '') {
      throw this.#refuse(line, 'the question has no explanation: write <!-- why --> and a sentence behind it');
    }
    if ((asked.kind === 'choice') !== options.length > 1) {
      throw this.#refuse(
        line,
        'a choice has two options or more, "- <!-- if: fact --> text"; other questions have none',
      );
    }
    const question = { file: this.#file, line, text, asked, options };
    this.#passages.at(-1)?.questions.push({ ...question, prompt: markdown(prompt), explanation: markdown(why) });
  }
}

function markdown({ lines }: Open): string {
  return lines.join('\n').trim();
}

/** Reads a lesson's text. @param file its name, for messages. @throws LessonError */
export function readText(text: string, file: string): LessonText {
  return new Reader(file).read(text);
}

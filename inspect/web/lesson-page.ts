import type { Source } from '../../asm/statement.js';
import { type LANGUAGES, type Lesson, programOf } from '../lesson/lesson.js';
import type { LessonPage } from './protocol.js';

/** What there is to read in a lesson. @param runtime the sources of the runtime */
export function lessonPage(lesson: Lesson, runtime: readonly Source[]): LessonPage {
  const textIn = (language: (typeof LANGUAGES)[number]): LessonPage['texts']['en'] => {
    const { title, introduction, passages } = lesson.texts[language];
    return {
      title,
      introduction,
      passages: passages.map((passage) => ({
        program: programOf(lesson, passage),
        markdown: passage.markdown,
        questions: passage.questions.map(({ asked, prompt, options, explanation }) => ({
          kind: asked.kind,
          prompt,
          options: options.map(({ text }) => text),
          explanation,
        })),
      })),
    };
  };
  return {
    name: lesson.name,
    texts: { en: textIn('en'), zh: textIn('zh') },
    sources: Object.fromEntries([...lesson.programs].map(([name, { sources }]) => [name, [...sources, ...runtime]])),
  };
}

import { type ReactNode, useEffect, useRef } from 'react';
import { usePart, useReading } from './context.js';
import { LessonText } from './lesson.js';
import { End, Output } from './output.js';
import { Runtime } from './runtime.js';

/** The text, and what the program and libmill say. */
export function Reading(): ReactNode {
  const lesson = useReading('lesson');
  const scene = usePart('scene');
  const passage = usePart('passage');
  const box = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another passage is read from its beginning
  useEffect(() => {
    if (box.current !== null) box.current.scrollTop = 0;
  }, [passage, lesson?.name]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what can be scrolled is to be reached by keys
    <div className="reading" ref={box} tabIndex={0}>
      {lesson !== undefined && <LessonText lesson={lesson} />}
      {scene?.ending !== undefined && <End ending={scene.ending} />}
      {scene !== undefined && <Runtime scene={scene} />}
      {scene !== undefined && <Output output={scene.view.output} />}
    </div>
  );
}

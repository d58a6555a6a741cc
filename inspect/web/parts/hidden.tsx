import { createContext, type ReactNode, useContext, useLayoutEffect, useState } from 'react';
import { usePart } from './context.js';

interface Open {
  /** How many questions are asked whose answer the picture would show. */
  readonly questions: number;
  readonly add: (count: number) => void;
}

const OpenContext = createContext<Open>({ questions: 0, add: () => {} });

/** Lets the questions within it hide from the pictures within it what comes next. */
export function HiddenProvider({ children }: { readonly children: ReactNode }): ReactNode {
  const [questions, setQuestions] = useState(0);
  const [add] = useState(() => (count: number) => setQuestions((before) => before + count));
  return <OpenContext value={{ questions, add }}>{children}</OpenContext>;
}

/** Whether what comes next is not to be shown: it is being predicted, or asked for. */
export function useHidden(): boolean {
  const predicting = usePart('predicting');
  return useContext(OpenContext).questions > 0 || predicting;
}

/** Hides what comes next for as long as this is so. */
export function useHide(hides: boolean): void {
  const { add } = useContext(OpenContext);
  // Before it is drawn, or the answer would be seen for a moment.
  useLayoutEffect(() => {
    if (!hides) return;
    add(1);
    return () => add(-1);
  }, [hides, add]);
}

import { createContext, useContext } from 'react';
import { usePart, useStore } from '../../parts/context.js';
import type { Draft, Playground } from '../playground.js';
import { WORDS, type Words } from '../words.js';

const PlaygroundContext = createContext<Playground | undefined>(undefined);

export const PlaygroundProvider = PlaygroundContext.Provider;

/** The place where programs are edited. */
export function usePlayground(): Playground {
  const playground = useContext(PlaygroundContext);
  if (playground === undefined) throw new Error('there is no playground around this part');
  return playground;
}

/** A part of what the playground shows. */
export function useDraft<Name extends keyof Draft>(name: Name): Draft[Name] {
  return useStore(usePlayground(), name);
}

/** The page's language. */
export function useWords(): Words {
  return WORDS[usePart('language')];
}

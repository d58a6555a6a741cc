import { createContext, type ReactNode, useContext, useSyncExternalStore } from 'react';
import type { Player } from '../player.js';
import type { State } from '../state.js';
import { WORDS, type Words } from '../words.js';

const PlayerContext = createContext<Player | undefined>(undefined);

export const PlayerProvider = PlayerContext.Provider;

/** The page's player. */
export function usePlayer(): Player {
  const player = useContext(PlayerContext);
  if (player === undefined) throw new Error('there is no player around this part');
  return player;
}

/** A part of the page's state; what uses it is drawn again when that part changes, and only then. */
export function usePart<Name extends keyof State>(name: Name): State[Name] {
  const player = usePlayer();
  return useSyncExternalStore(player.subscribe, () => player.state[name]);
}

const WordsContext = createContext<Words>(WORDS.en);

/** Gives all parts within it the page's language. */
export function WordsProvider({ children }: { readonly children: ReactNode }): ReactNode {
  return <WordsContext value={WORDS[usePart('language')]}>{children}</WordsContext>;
}

/** The page's language. */
export function useWords(): Words {
  return useContext(WordsContext);
}

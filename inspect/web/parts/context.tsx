import { createContext, type ReactNode, useContext, useSyncExternalStore } from 'react';
import type { Places } from '../places.js';
import type { Player } from '../player.js';
import type { Reader, Reading } from '../reader.js';
import type { State } from '../state.js';
import type { Store } from '../store.js';
import { WORDS, type Words } from '../words.js';

const PlacesContext = createContext<Places | undefined>(undefined);

export const PlacesProvider = PlacesContext.Provider;

/** The places of the page. */
export function usePlaces(): Places {
  const places = useContext(PlacesContext);
  if (places === undefined) throw new Error('there is no page around this part');
  return places;
}

/** What moves the machine. */
export function usePlayer(): Player {
  return usePlaces().player;
}

/** The place for lessons. */
export function useReader(): Reader {
  return usePlaces().reader;
}

/** A part of a store's state; what uses it is drawn again when that part changes, and only then. */
export function useStore<Of extends object, Name extends keyof Of>(store: Store<Of>, name: Name): Of[Name] {
  return useSyncExternalStore(store.subscribe, () => store.state[name]);
}

/** A part of what all places show. */
export function usePart<Name extends keyof State>(name: Name): State[Name] {
  return useStore(usePlayer(), name);
}

/** A part of what is read. */
export function useReading<Name extends keyof Reading>(name: Name): Reading[Name] {
  return useStore(useReader(), name);
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

import { lazy, type ReactNode, Suspense, useEffect } from 'react';
import { hex } from '../../names.js';
import { commandOf } from '../keys.js';
import { moveOf } from '../moves.js';
import type { Places } from '../places.js';
import { keysAreOn } from '../settings.js';
import { PlacesProvider, usePart, usePlaces, useStore, WordsProvider } from './context.js';
import { Controls } from './controls.js';
import { Header } from './header.js';
import { HiddenProvider } from './hidden.js';
import { InquiryPanel } from './inquiry.js';
import { KeysDialog } from './keys-dialog.js';
import { Reading } from './reading.js';
import { Stage } from './stage.js';

const PlaygroundPlace = lazy(() => import('../playground/parts/place.js'));

/** The page: a place, the machine, and what moves it. */
export function Page({ places }: { readonly places: Places }): ReactNode {
  return (
    <PlacesProvider value={places}>
      <WordsProvider>
        <Whole />
      </WordsProvider>
    </PlacesProvider>
  );
}

function Whole(): ReactNode {
  const places = usePlaces();
  const place = useStore(places, 'place');
  const playground = useStore(places, 'playground');
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      const command = commandOf(event);
      if (command === undefined || (command !== 'close' && !keysAreOn())) return;
      if (document.querySelector('dialog[open]') !== null) return;
      event.preventDefault();
      obey(places, command);
    };
    // By now the machine may have written another one.
    const follow = ({ newURL }: HashChangeEvent): void => void places.follow(new URL(newURL).hash);
    window.addEventListener('keydown', press);
    window.addEventListener('hashchange', follow);
    return () => {
      window.removeEventListener('keydown', press);
      window.removeEventListener('hashchange', follow);
    };
  }, [places]);
  return (
    <>
      <Header />
      {place === 'lessons' ? (
        <main>
          <HiddenProvider>
            <Reading />
            <Stage />
          </HiddenProvider>
        </main>
      ) : (
        <Suspense>{playground !== undefined && <PlaygroundPlace playground={playground} />}</Suspense>
      )}
      <Asked />
      <Controls />
      <Keys />
    </>
  );
}

function Asked(): ReactNode {
  const inquiry = usePart('inquiry');
  return inquiry !== undefined && <InquiryPanel inquiry={inquiry} />;
}

function Keys(): ReactNode {
  return usePart('showsKeys') && <KeysDialog />;
}

function obey({ player, reader, state: { place } }: Places, command: string): void {
  const { passage, predicting, inquiry } = player.state;
  const move = moveOf(command);
  if (move !== undefined) {
    player.pause();
    player.move(move);
  } else if (command === 'play') player.play();
  else if (command === 'next-passage' && place === 'lessons') void reader.toPassage(passage + 1);
  else if (command === 'previous-passage' && place === 'lessons') void reader.toPassage(passage - 1);
  else if (command === 'predict') player.setPredicting(!predicting);
  else if (command === 'toggle') void player.toggle(chosenPlace() ?? nextPlace(player));
  else if (command === 'why') void player.who();
  else if (command === 'help') player.showKeys(true);
  else if (command === 'close') {
    if (inquiry !== undefined) player.closeInquiry();
    else player.stop();
  }
}

/** Of the line of code that has the focus. */
function chosenPlace(): string | undefined {
  return document.activeElement?.closest<HTMLElement>('[data-place]')?.dataset.place;
}

function nextPlace({ state: { scene } }: Places['player']): string {
  return hex(scene?.view.registers.find(({ name }) => name === 'rip')?.now ?? 0n);
}

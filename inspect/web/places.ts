import { readAddress } from './address.js';
import { Player } from './player.js';
import type { Playground } from './playground/playground.js';
import { Reader } from './reader.js';
import { Store } from './store.js';

/** Where one is on the page. */
export interface Whereabouts {
  readonly place: 'lessons' | 'playground';
  /** Loaded when it is first entered. */
  readonly playground: Playground | undefined;
}

/** The places of the page, around one machine. */
export class Places extends Store<Whereabouts> {
  readonly player = new Player();
  readonly reader = new Reader(this.player);

  constructor() {
    super({ place: placeOf(location.hash), playground: undefined });
  }

  /** Opens what the address says, or the first lesson. */
  async begin(): Promise<void> {
    await this.#enter(placeOf(location.hash), location.hash);
  }

  /** What the address says has changed under the page. */
  async follow(hash: string): Promise<void> {
    const { language, lesson, play, run } = readAddress(hash);
    if (language !== undefined && language !== this.player.state.language) this.player.speak(language);
    const said = lesson ?? play ?? run;
    const place = said === undefined ? this.state.place : placeOf(hash);
    if (place !== this.state.place) await this.#enter(place, hash);
    else if (place === 'lessons') await this.reader.follow(hash);
    else await this.state.playground?.follow(hash);
  }

  /** Goes to a place, where all is as it was left. */
  async go(place: Whereabouts['place']): Promise<void> {
    if (place === this.state.place) return;
    history.pushState(null, '', place === 'lessons' ? '#' : '#play');
    await this.#enter(place, location.hash);
  }

  async #enter(place: Whereabouts['place'], hash: string): Promise<void> {
    this.set({ place });
    if (place === 'lessons') await this.reader.enter(hash);
    else await this.#enterPlayground(hash);
  }

  async #enterPlayground(hash: string): Promise<void> {
    let { playground } = this.state;
    if (playground === undefined) {
      const { Playground } = await import('./playground/playground.js');
      playground = this.state.playground ?? new Playground(this.player);
      this.set({ playground });
    }
    if (this.state.place === 'playground') await playground.enter(hash);
  }
}

function placeOf(hash: string): Whereabouts['place'] {
  const { play, run } = readAddress(hash);
  return play === undefined && run === undefined ? 'lessons' : 'playground';
}

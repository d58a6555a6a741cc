/** The page's start. */
import { createRoot } from 'react-dom/client';
import { Page } from './parts/page.js';
import { Player } from './player.js';
import { storedTheme, storeTheme } from './settings.js';

storeTheme(storedTheme());
const player = new Player();
document.documentElement.lang = player.state.language;
const root = document.getElementById('page');
if (root !== null) createRoot(root).render(<Page player={player} />);
await player.begin();
// Behind the first lesson, so that what is kept for later is not in its way.
if ('serviceWorker' in navigator) {
  await navigator.serviceWorker.register('./sw.js');
  const { active } = await navigator.serviceWorker.ready;
  active?.postMessage('at rest');
}

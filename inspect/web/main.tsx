/** The page's start. */
import { createRoot } from 'react-dom/client';
import { Page } from './parts/page.js';
import { Places } from './places.js';
import { storedTheme, storeTheme } from './settings.js';

storeTheme(storedTheme());
const places = new Places();
document.documentElement.lang = places.player.state.language;
const root = document.getElementById('page');
if (root !== null) createRoot(root).render(<Page places={places} />);
await places.begin();
// Behind the first lesson, so that what is kept for later is not in its way.
if ('serviceWorker' in navigator) {
  await navigator.serviceWorker.register('./sw.js');
  const { active } = await navigator.serviceWorker.ready;
  active?.postMessage('at rest');
}

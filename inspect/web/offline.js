// A service worker: keeps the files of one version of the site, so that it works without a network. VERSION, and the
// names of files in FILES and LATER, are put in front of this when the site is built.
/* global VERSION, FILES, LATER */
const scope = new URL('./', self.location.href).href;
// Several copies of the site may live on one host.
const OURS = `millscope ${scope} `;
const NAME = `${OURS}${VERSION}`;

self.addEventListener('install', (event) => {
  // The page is known by its folder's name, too.
  const urls = [...FILES.filter((name) => name !== '_headers'), './'].map((name) => new URL(name, scope).href);
  event.waitUntil(
    caches
      .open(NAME)
      .then((cache) => cache.addAll(urls))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener('activate', (event) => {
  const old = (name) => name.startsWith(OURS) && name !== NAME;
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter(old).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

// The page says when it is at rest: what no lesson begins with is large, and must not be in anybody's way. What did not
// come is tried again at the next visit.
self.addEventListener('message', (event) => {
  const keep = async () => {
    const cache = await caches.open(NAME);
    for (const name of LATER) {
      const url = new URL(name, scope).href;
      if ((await cache.match(url)) === undefined) await cache.add(url);
    }
  };
  // Without a network there is nothing to be told.
  event.waitUntil(keep().catch(() => {}));
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method !== 'GET' || !request.url.startsWith(scope)) return;
  event.respondWith(
    caches
      .open(NAME)
      .then((cache) => cache.match(request, { ignoreSearch: true }))
      .then((kept) => kept ?? fetch(request)),
  );
});

/** Where `npm run web` serves the page. */
export const PORT = 4178;

/** What links begin with if nothing is said. */
export const SITE = `http://localhost:${PORT}/`;

import { Refused } from './thread.js';

/** Gets a file of the site. @throws Refused if there is none, TypeError if there is no network */
export async function getJson<Content>(name: string): Promise<Content> {
  const response = await fetch(name);
  if (!response.ok) throw new Refused(`${name} did not come: ${response.status}`);
  return (await response.json()) as Content;
}

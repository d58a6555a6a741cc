/** A place without the folders of its files. */
export function shortPlace(place: string): string {
  return place.replace(/[^\s(),]*\/(?=[^/\s]+:\d+)/g, '');
}

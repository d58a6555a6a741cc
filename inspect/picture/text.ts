/** What XML 1.0 does not allow, halves of characters, and what would turn the text around it: all of it made visible. */
const UNFIT =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
/** Unicode's pictures of control characters begin here. */
const CONTROL_PICTURES = 0x2400;
const REPLACEMENT = '\ufffd';

/** A text that comes from a program as it may stand in an SVG: no markup, and only characters that XML allows. */
export function escaped(text: string): string {
  return text
    .replace(UNFIT, (one) => {
      const code = one.charCodeAt(0);
      return code < 0x20 ? String.fromCharCode(CONTROL_PICTURES + code) : REPLACEMENT;
    })
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** A text in so many columns of a fixed-width font; what does not fit is cut, which is seen. */
export function fitted(text: string, columns: number): string {
  let used = 0;
  let kept = '';
  for (const one of text) {
    used += columnsOf(one);
    if (used > columns) return `${[...kept].slice(0, -1).join('')}…`;
    kept += one;
  }
  return kept;
}

/** Columns of a text. Signs of East Asian scripts, and pictures, take two. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const one of text)
    columns += /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\uff60\u{1f000}-\u{3fffd}]/u.test(one)
      ? 2
      : 1;
  return columns;
}

/** A number of 64 bits in so many columns: the middle is left out if it is too long. */
export function shortened(text: string, columns: number): string {
  if (text.length <= columns) return text;
  const tail = (columns - 1) >> 1;
  return `${text.slice(0, columns - 1 - tail)}…${text.slice(-tail)}`;
}

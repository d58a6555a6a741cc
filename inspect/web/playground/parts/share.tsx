import { type ReactNode, useEffect, useRef, useState } from 'react';
import { COPIES, type Copy, PICTURES, type PictureKind } from '../share.js';
import { usePlayground, useWords } from './context.js';

/** A text that was asked for. */
interface Given {
  readonly what: Copy;
  readonly text: string;
  readonly isCopied: boolean;
}

/** What can be taken along. */
export function Share(): ReactNode {
  const playground = usePlayground();
  const words = useWords();
  const [given, setGiven] = useState<Given>();
  const box = useRef<HTMLTextAreaElement>(null);
  useEffect(() => box.current?.select(), []);
  const copy = async (what: Copy): Promise<void> => {
    const text = await playground.copyAs(what);
    if (text === undefined) return;
    setGiven({ what, text, isCopied: await toClipboard(text) });
  };
  const save = async (kind: PictureKind): Promise<void> => {
    const file = await playground.draw(kind, isDark());
    if (file !== undefined) download(file);
  };
  return (
    <details className="share">
      <summary>{words.share}</summary>
      <div className="menu">
        {COPIES.map((what) => (
          <button key={what} type="button" onClick={() => void copy(what)}>
            {words.copies[what]}
          </button>
        ))}
        {PICTURES.map((kind) => (
          <button key={kind} type="button" onClick={() => void save(kind)}>
            {words.pictures[kind]}
          </button>
        ))}
        {given !== undefined && (
          <div className="given">
            <p role="status">{given.isCopied ? `✓ ${words.copied}` : words.copyYourself}</p>
            <textarea
              ref={box}
              readOnly
              rows={4}
              value={given.text}
              aria-label={words.copies[given.what]}
              onFocus={({ target }) => target.select()}
            />
          </div>
        )}
      </div>
    </details>
  );
}

/** @returns false where the browser forbids it */
async function toClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** Whether the page is dark, by choice or by the system's. */
function isDark(): boolean {
  const { theme } = document.documentElement.dataset;
  return theme === 'dark' || (theme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
}

function download(file: File): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = file.name;
  link.click();
  // Behind the click: the browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

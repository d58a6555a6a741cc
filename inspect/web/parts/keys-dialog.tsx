import { type ReactNode, useEffect, useRef, useState } from 'react';
import { PAGE_KEYS } from '../keys.js';
import { keysAreOn, switchKeys } from '../settings.js';
import { usePlayer, useWords } from './context.js';

/** All keys. */
export function KeysDialog(): ReactNode {
  const player = usePlayer();
  const words = useWords();
  const dialog = useRef<HTMLDialogElement>(null);
  const [on, setOn] = useState(keysAreOn);
  useEffect(() => dialog.current?.showModal(), []);
  const help: Readonly<Record<string, string>> = words.moves;
  return (
    <dialog ref={dialog} aria-label={words.help} onClose={() => player.showKeys(false)}>
      <h2>{words.help}</h2>
      <table>
        <tbody>
          {PAGE_KEYS.map(({ keys, command }) => (
            <tr key={command}>
              <th scope="row">
                {keys.map((key) => (
                  <kbd key={key}>{key === 'Space' ? words.space : key}</kbd>
                ))}
              </th>
              <td>{help[command] ?? command}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <label className="choice">
        <input
          type="checkbox"
          checked={on}
          onChange={({ target }) => {
            switchKeys(target.checked);
            setOn(target.checked);
          }}
        />
        {words.shortcuts}
      </label>
      <button type="button" onClick={() => dialog.current?.close()}>
        {words.close}
      </button>
    </dialog>
  );
}

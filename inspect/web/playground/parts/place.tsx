import type { ReactNode } from 'react';
import { usePart } from '../../parts/context.js';
import { Output } from '../../parts/output.js';
import { Runtime } from '../../parts/runtime.js';
import { Stage } from '../../parts/stage.js';
import type { Playground } from '../playground.js';
import { PlaygroundProvider, useDraft, useWords } from './context.js';
import { Contract } from './contract.js';
import { Drop } from './drop.js';
import { Files } from './files.js';
import { OutcomePanel } from './outcome.js';
import { RiddlePanel } from './riddle.js';
import { Toolbar } from './toolbar.js';

/** The playground: what is edited, and the machine that does it. */
export default function PlaygroundPlace({ playground }: { readonly playground: Playground }): ReactNode {
  const words = useWords();
  const scene = usePart('scene');
  return (
    <PlaygroundProvider value={playground}>
      <main className="workbench">
        <h1 className="unseen">{words.playground}</h1>
        <div className="desk">
          <Toolbar />
          <Message />
          <Files />
          <RiddlePanel />
          <Contract />
        </div>
        <div className="bench">
          <OutcomePanel />
          <Stage />
          {scene !== undefined && (
            <div className="below">
              <Runtime scene={scene} />
              <Output output={scene.view.output} />
            </div>
          )}
        </div>
        <Drop />
      </main>
    </PlaygroundProvider>
  );
}

/** Why something could not be done. */
function Message(): ReactNode {
  const message = useDraft('message');
  return (
    <div role="alert" className="message">
      {message !== undefined && <p>{message}</p>}
    </div>
  );
}

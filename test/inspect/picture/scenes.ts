import { scenesFrom } from '../../../inspect/picture/scenes.js';
import { Session } from '../../../inspect/session.js';
import type { Scene } from '../../../inspect/view/scene.js';
import { Viewer } from '../../../inspect/view/viewer.js';
import { programNamed, withProcess } from '../every-program.js';

/** Moments of a program of the fixtures, from one on; the last one, if it is beyond the end. */
export async function scenesOf(name: string, moment: number, steps = 0): Promise<Scene[]> {
  const [, load, argv] = programNamed(name);
  return withProcess(await load(), argv, async (process) => {
    const session = new Session(process);
    const viewer = await Viewer.open(session);
    await session.go(moment);
    const scenes = await scenesFrom(session, viewer, session.moment, steps);
    viewer.close();
    return scenes;
  });
}

import type { Session } from '../session.js';
import { type Scene, sceneOf } from '../view/scene.js';
import type { Viewer } from '../view/viewer.js';

/**
 * The moments of a run from one on; fewer, if the run ends before.
 * @param steps how many come behind the first one
 * @returns with the session at the last of them
 */
export async function scenesFrom(session: Session, viewer: Viewer, moment: number, steps: number): Promise<Scene[]> {
  const scenes: Scene[] = [];
  for (let next = moment; next <= moment + steps; next++) {
    await session.go(next);
    if (session.moment < next) break;
    scenes.push(await sceneOf(session, viewer, undefined));
  }
  return scenes;
}

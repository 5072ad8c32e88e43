import type { Workspace } from '../../workspace/index.ts';
import { CHANNEL } from '../scenario.ts';
import type { Scenario } from '../scenarios/index.ts';
import type { Stage } from '../stage.ts';
import { every } from '../ticking.ts';
import { openQuestion } from '../world/now.ts';
import { createScreen, type Terminal } from './screen.ts';
import { liveLines } from './view.ts';

export type { Terminal } from './screen.ts';

const EVERY_MS = 250;

/** Draws what happens until it is stopped. */
export function drawLive(
  stage: Pick<Stage, 'world' | 'watch' | 'workspace'>,
  scenario: Scenario,
  terminal: Terminal,
): { stop(): Promise<void> } {
  const screen = createScreen(terminal);
  const draw = async () => {
    const state = stage.watch.state();
    const comparison = openQuestion(state)?.comparison ?? state?.rollout?.comparison;
    const snapshot = await stage.world.snapshot();
    const moment = {
      title: scenario.title,
      snapshot,
      metrics: comparison?.metrics ?? [],
      card: cardText(stage.workspace),
    };
    screen.draw(liveLines(moment, terminal.columns));
  };
  const ticking = every(EVERY_MS, draw, () => undefined);
  return {
    async stop() {
      await ticking.stop();
      await draw();
      screen.end();
    },
  };
}

function cardText(workspace: Workspace): string {
  return workspace.messages(`#${CHANNEL}`).at(-1)?.text ?? '';
}

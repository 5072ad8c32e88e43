import { createNarrator } from '../../src/demo/narrator.ts';
import { CHANNEL } from '../../src/demo/scenario.ts';
import { ANSWERS, scenarioNamed } from '../../src/demo/scenarios/index.ts';
import { buildStage } from '../../src/demo/stage.ts';
import { play } from '../../src/demo/story.ts';
import { createDemoClock } from '../../src/demo/time/demo-clock.ts';

/**
 * Plays one story in a process of its own and says how the world stands at its end: `play.ts SCENARIO ANSWER CARD`. CARD is what the
 * newest card has to say before it is looked at. The last line is JSON.
 */
const [name = '', wanted = 'none', card = ''] = process.argv.slice(2);
const scenario = scenarioNamed(name);
const answer = ANSWERS.find((one) => one === wanted);
if (!scenario || !answer) throw new Error(`There is no story ${name} with ${wanted}.`);
const print = (line: string) => void process.stdout.write(`${line}\n`);
const clock = createDemoClock(3);
const narrator = createNarrator(print, false, () => clock.now());
const signal = AbortSignal.timeout(240_000);
await using stage = await buildStage({ port: 0, standIns: true, narrator, clock, onAddress: () => undefined });
const ending = await play({ ...stage, narrator, signal }, scenario, answer);
const { workspace, watch } = stage;
const newest = () => workspace.messages(`#${CHANNEL}`).at(-1);
const says = new RegExp(card);
await workspace.waitFor(() => says.test(JSON.stringify(newest() ?? '')), 30_000).catch(() => undefined);
const state = watch.state();
print(
  JSON.stringify({
    ending,
    split: stage.lab.splitter.split(),
    card: newest()?.text ?? '',
    buttons: [...JSON.stringify(newest()?.blocks ?? []).matchAll(/"action_id":"rollout:(\w+)"/g)].map(([, id]) => id),
    phase: state?.rollout?.phase.name,
    stage: state?.degradation?.stage,
    signals: state?.degradation?.signals.map((signal) => (signal.kind === 'alert' ? signal.name : signal.kind)),
    journal: watch.journal().map(({ what }) => what),
    incidents: stage.incidents().map(({ state }) => state),
    aheadMs: clock.now() - Date.now(),
  }),
);

import type { View } from '@slack/web-api';
import type { Overview, Status } from '../application/api.ts';
import type { Health } from '../ports/health.ts';
import { type Block, context, divider, header, LIMIT, section, sizeOf, withIds } from './cards/blocks.ts';
import { code, fitted, link, moment, outsideLines } from './cards/text.ts';
import { SUBCOMMANDS } from './commands/index.ts';
import { statusText } from './commands/status.ts';
import type { Desk } from './interactions.ts';

const SERVICES = 25;
/** Troubles that are shown, and how much of each: services have to find room below them. */
const TROUBLES = 4;
const TROUBLE_LENGTH = 500;
const ROOM = LIMIT.message - 2500;

/** Somebody opened App Home: what is under way now. */
export async function onHomeOpened(
  desk: Desk,
  event: { readonly tab?: string; readonly user?: string },
  nowMs: number,
): Promise<void> {
  if (event.tab !== 'home' || !event.user) return;
  const view = home(await desk.application.overview(SERVICES), nowMs, desk.health);
  await desk.client.views.publish({ user_id: event.user, view });
}

/** What is under way first, then the quiet ones, then help. */
export function home(overview: Overview, nowMs: number, health?: Health): View {
  const { active, quiet, activeCount, quietCount } = overview;
  const wellBeing = health ? healthOf(health) : [];
  const room = (ROOM - sizeOf(wellBeing)) / 2;
  const blocks: Block[] = [
    header('Lastgood'),
    ...context([`As of ${moment(nowMs, 'day')}. Open this tab again to bring it up to date.`]),
    ...wellBeing,
    section(activeCount === 0 ? '✅ *Nothing is under way.*' : `*Under way (${activeCount})*`),
    ...listed(active, activeCount, room),
    divider,
    ...(quietCount > 0 ? [section(`*Quiet (${quietCount})*`), ...listed(quiet, quietCount, room)] : []),
    ...(activeCount + quietCount === 0 ? [section('No policy is loaded yet: add one to the policies folder.')] : []),
    divider,
    section(helpText()),
  ];
  return { type: 'home', blocks: withIds(blocks) } as unknown as View;
}

/** What Lastgood itself leans on: where all is well a line, else what does not work and what still does. */
function healthOf(health: Health): Block[] {
  const parts = health.parts();
  if (parts.length === 0) return context(['Health: not looked at yet.']);
  const degraded = health.degraded();
  if (degraded.length === 0) return context([`✅ Health: ${parts.length} parts looked at, nothing is wrong.`]);
  const shown = degraded.slice(0, TROUBLES).map(({ text }) => section(`⚠️ ${outsideLines(text, TROUBLE_LENGTH)}`));
  const more = degraded.length - shown.length;
  return [
    section(`*Health (${degraded.length} of ${parts.length} in trouble)*`),
    ...shown,
    ...(more > 0 ? context([`…and ${more} more: \`lastgood doctor\``]) : []),
    divider,
  ];
}

function listed(statuses: readonly Status[], count: number, room: number): Block[] {
  const blocks: Block[] = [];
  for (const one of statuses) {
    const { runbookUrl, dashboardUrl } = one.policy;
    const links = [
      runbookUrl === null ? '' : link(runbookUrl, 'Runbook'),
      dashboardUrl === null ? '' : link(dashboardUrl, 'Dashboard'),
    ].filter((s) => s !== '');
    const next = section(fitted([statusText(one), links.join(' · ')].filter((s) => s !== '').join('\n'), 900));
    if (sizeOf([...blocks, next]) > room) break;
    blocks.push(next);
  }
  const left = count - blocks.length;
  return left > 0 ? [...blocks, ...context([`…and ${left} more: \`/rollout status\``])] : blocks;
}

function helpText(): string {
  const lines = SUBCOMMANDS.map((one) => `${code(`/rollout ${one.name}`)} ${one.summary}`);
  return fitted(['*What you can type*', ...lines].join('\n'), 2000);
}

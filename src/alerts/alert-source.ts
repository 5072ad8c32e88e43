import { compileMatcher } from '../domain/match.ts';
import type { Endpoint, Matcher } from '../domain/policy.ts';
import type { Http } from '../outbound/http.ts';
import type { AlertSource, HeldAlert, Silence } from '../ports/alert-source.ts';
import { PortError } from '../ports/failure.ts';
import { type HeldBody, parseHeld } from './alertmanager.ts';
import {
  type AlertmanagerApi,
  alertmanagerApi,
  type HeldSilence,
  type SilenceMatcher,
  sameMatchers,
  silenceMatchers,
} from './alertmanager-api.ts';

export interface AlertSourceOptions {
  readonly http: Http;
  readonly endpoint: Endpoint;
  /** Tags of our own silences begin with it and a slash. */
  readonly instance: string;
  /** Unix ms. */
  readonly now: () => number;
}

const CREATED_BY = 'Lastgood';
/** Alertmanager makes its own present of a start that is past: so its clock may be behind ours. */
const STARTED_BEFORE_MS = 3_600_000;
/** Ends nearer to each other than this are the same. */
const SAME_END_MS = 1_000;

/** One Alertmanager, asked over its API v2. Throws PortError. */
export function createAlertSource({ http, endpoint, instance, now }: AlertSourceOptions): AlertSource {
  const api = alertmanagerApi(http, endpoint);
  return {
    async list(signal) {
      const held = await parseHeld(await api.alerts(signal));
      // After the list: one that was started again in between has just come up, and its empty list says nothing.
      const { sinceMs, dateMs } = await api.uptime(signal);
      const ours = held.some(({ silencedBy }) => silencedBy.length > 0)
        ? tagsById(await api.silences(signal), instance)
        : new Map<string, string>();
      // By its own clock it has run that long.
      const aheadMs = dateMs === null ? 0 : dateMs - now();
      return {
        alerts: held.map((one) => withMuting(one, ours)),
        upSinceMs: sinceMs === null ? null : sinceMs - aheadMs,
      };
    },
    async silence(silence, signal) {
      const wanted = wantedOf(silence, now());
      const standing = (await api.silences(signal)).filter((one) => isStanding(one, silence.tag));
      const kept = new Set<string>();
      for (const matchers of wanted) {
        const found = standing.find((one) => !kept.has(one.id) && sameMatchers(one.matchers, matchers));
        if (found) kept.add(found.id);
        if (found && Math.abs(Date.parse(found.endsAt) - silence.untilMs) < SAME_END_MS) continue;
        await put(api, silence, matchers, { found, nowMs: now() }, signal);
      }
      // Of matchers that the policy had before, or made twice.
      for (const { id } of standing) if (!kept.has(id)) await api.expireSilence(id, signal);
    },
    async lift(tag, signal) {
      for (const one of await api.silences(signal)) if (isStanding(one, tag)) await api.expireSilence(one.id, signal);
    },
  };
}

/** Checked as a whole before anything is sent: a silence that was refused half-way would be half a silence. */
function wantedOf({ selectors, untilMs }: Silence, nowMs: number): readonly SilenceMatcher[][] {
  if (untilMs <= nowMs)
    throw new PortError('permanent', 'Nothing was silenced: its end had passed before Alertmanager could be told.');
  const distinct: SilenceMatcher[][] = [];
  for (const matchers of selectors) {
    if (matchers.every((matcher) => compileMatcher(matcher)('')))
      throw new PortError(
        'permanent',
        `Nothing was silenced: ${matchers.map(text).join(', ') || 'no matcher'} would silence every alert without these labels too, which Alertmanager refuses. Give \`alerts\` in the policy at least one matcher that needs a label, such as service="…".`,
      );
    const body = silenceMatchers(matchers);
    if (!distinct.some((other) => sameMatchers(other, body))) distinct.push(body);
  }
  return distinct;
}

async function put(
  api: AlertmanagerApi,
  { tag, comment, untilMs }: Silence,
  matchers: SilenceMatcher[],
  { found, nowMs }: { readonly found: HeldSilence | undefined; readonly nowMs: number },
  signal: AbortSignal,
): Promise<void> {
  const body = {
    ...(found ? { id: found.id } : {}),
    matchers,
    startsAt: found ? found.startsAt : iso(nowMs - STARTED_BEFORE_MS),
    endsAt: iso(untilMs),
    createdBy: CREATED_BY,
    comment: `${comment} [${tag}]`,
  };
  const id = await api.postSilence(body, signal);
  if (matchers.every(({ isEqual }) => isEqual)) return;
  // Before 0.22 a server takes `isEqual: false` for its opposite, without a word.
  const made = await api.silence(id, signal);
  if (sameMatchers(made.matchers, matchers)) return;
  await api.expireSilence(id, signal);
  throw new PortError(
    'permanent',
    'Nothing was silenced: this Alertmanager does not know negative matchers (!=, !~). Run 0.22 or newer, or use positive ones in `alerts` of the policy.',
  );
}

function isStanding({ status, createdBy, comment }: HeldSilence, tag: string): boolean {
  return status.state !== 'expired' && createdBy === CREATED_BY && comment.endsWith(` [${tag}]`);
}

function tagsById(silences: readonly HeldSilence[], instance: string): Map<string, string> {
  const tags = new Map<string, string>();
  for (const { id, createdBy, comment } of silences) {
    const tag = createdBy === CREATED_BY ? / \[([^[\]\s]+)\]$/.exec(comment)?.[1] : undefined;
    if (tag?.startsWith(`${instance}/`)) tags.set(id, tag);
  }
  return tags;
}

function withMuting({ alert, silencedBy, inhibited }: HeldBody, ours: ReadonlyMap<string, string>): HeldAlert {
  const tags = silencedBy.flatMap((id) => ours.get(id) ?? []);
  return {
    alert,
    muted: inhibited || silencedBy.length > 0,
    mutedByTags: tags,
    mutedByOthers: inhibited || tags.length < silencedBy.length,
  };
}

function text({ label, operator, value }: Matcher): string {
  return `${label}${operator}${JSON.stringify(value)}`;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

import type { WebClient } from '@slack/web-api';
import type { Actor } from '../domain/state.ts';
import type { Clock } from '../ports/clock.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { isTokenProblem, slackFailure } from './errors.ts';
import type { Home } from './inbound.ts';

export interface BotIdentity {
  readonly botId: string | undefined;
  readonly botUserId: string | undefined;
  readonly teamId: string | undefined;
  /** The organisation the workspace is in, on Enterprise Grid. */
  readonly enterpriseId: string | undefined;
  /** The bot user's name: what people have to invite. */
  readonly name: string;
}

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;
const NAME_UNTIL_KNOWN = 'lastgood';

/**
 * Who we are in Slack: asked until answered, so that Slack being down when Lastgood starts heals by itself. Bolt is given
 * what is known, never a token to check on its own: one failed check at its start would leave every request at 401.
 */
export class Identity {
  private known: BotIdentity | null = null;
  private detail = 'Slack was not asked yet';
  private asking: Promise<void> | null = null;
  private readonly client: WebClient;
  private readonly clock: Clock;
  private readonly telemetry: Telemetry;
  private readonly end: AbortController;

  constructor(client: WebClient, clock: Clock, telemetry: Telemetry) {
    this.client = client;
    this.clock = clock;
    this.telemetry = telemetry;
    this.end = new AbortController();
  }

  get bot(): BotIdentity {
    return (
      this.known ?? {
        botId: undefined,
        botUserId: undefined,
        teamId: undefined,
        enterpriseId: undefined,
        name: NAME_UNTIL_KNOWN,
      }
    );
  }

  /**
   * The actor, marked where they are of another workspace: Slack lets people of both press buttons in a channel that is shared.
   * Who we are is not known before Slack has said so once; until then nobody is told apart.
   */
  placed(actor: Actor, { teamId, enterpriseId }: Home): Actor {
    const own = this.bot;
    const isOwn = teamId === null || own.teamId === undefined || teamId === own.teamId;
    if (isOwn || (enterpriseId !== null && enterpriseId === own.enterpriseId)) return actor;
    return { ...actor, outsider: true };
  }

  readiness(): { ok: boolean; detail: string } {
    return { ok: this.known !== null && this.asking === null, detail: this.detail };
  }

  /** Begins to ask; resolves when Slack has answered or `stop` was called. Never rejects. */
  start(): Promise<void> {
    this.asking ??= this.ask().finally(() => {
      this.asking = null;
    });
    return this.asking;
  }

  /** A call was refused for its token: not ready until Slack knows us again. */
  note(error: unknown): void {
    if (!isTokenProblem(error) || this.asking !== null || this.end.signal.aborted) return;
    this.detail = 'Slack does not accept the bot token any more';
    void this.start();
  }

  stop(): void {
    this.end.abort();
  }

  private async ask(): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS;
    let told = '';
    while (!this.end.signal.aborted) {
      try {
        const answer = await this.client.auth.test();
        this.known = {
          botId: text(answer.bot_id),
          botUserId: text(answer.user_id),
          teamId: text(answer.team_id),
          enterpriseId: text(answer.enterprise_id),
          name: text(answer.user) ?? NAME_UNTIL_KNOWN,
        };
        this.detail = `connected to ${text(answer.team) ?? 'Slack'} as @${this.known.name}`;
        return;
      } catch (error) {
        const call = { method: 'auth.test', intent: 'repeatable', channel: 'Slack', botName: this.bot.name } as const;
        const failure = slackFailure(error, call);
        this.detail = failure.message;
        // Once for each kind of trouble, not once a try.
        if (told !== failure.message) this.telemetry.problem('slack', failure);
        told = failure.message;
        await this.clock.sleepUntil(this.clock.now() + (failure.retryAfterMs ?? pauseMs), this.end.signal);
        pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      }
    }
  }
}

/** Something else may answer in Slack's place. */
function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

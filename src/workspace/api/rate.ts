import type { State } from '../state.ts';

/** Slack's limit for chat.postMessage: about one a second a channel. A bucket of tokens for each channel. */
export class PostRate {
  private readonly state: State;
  private readonly buckets = new Map<string, { tokens: number; at: number }>();

  constructor(state: State) {
    this.state = state;
  }

  /** Takes one post; 0, or how many seconds to wait. */
  take(wanted: string): number {
    const channel = this.state.findChannel(wanted)?.id ?? wanted;
    const perSecond = this.state.options.postsPerSecondPerChannel ?? 1;
    const burst = Math.max(1, this.state.options.postBurst ?? Math.ceil(perSecond));
    const now = this.state.now();
    const bucket = this.buckets.get(channel) ?? { tokens: burst, at: now };
    const tokens = Math.min(burst, bucket.tokens + (Math.max(0, now - bucket.at) / 1000) * perSecond);
    if (tokens < 1) {
      this.buckets.set(channel, { tokens, at: now });
      return Math.max(1, Math.ceil((1 - tokens) / perSecond));
    }
    this.buckets.set(channel, { tokens: tokens - 1, at: now });
    return 0;
  }
}

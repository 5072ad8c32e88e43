/** How often and how long something is tried again. */
export interface RetryRule {
  /** The first wait; it doubles with every try. */
  readonly firstMs: number;
  readonly capMs: number;
  /** Counted from when it was asked for; null: for ever. */
  readonly giveUpAfterMs: number | null;
  /** What was refused for good is tried again this often all the same: whoever was told may put it right. Absent: it is given up. */
  readonly permanentMs?: number;
}

/**
 * When the next try is due; null: it is given up. `random` (0..1) takes off up to half of the wait, so that many failures of one
 * outage do not come back in step; what the other side asked for (Retry-After) is never undercut.
 */
export function nextTryMs(
  rule: RetryRule,
  tries: { nowMs: number; attempt: number; createdAtMs: number; retryAfterMs: number | null; random: number },
): number | null {
  const fullMs = Math.min(rule.capMs, rule.firstMs * 2 ** Math.min(tries.attempt - 1, 30));
  const waitMs = Math.round(fullMs * (1 - tries.random / 2));
  const atMs = tries.nowMs + Math.max(waitMs, tries.retryAfterMs ?? 0);
  const over = rule.giveUpAfterMs !== null && atMs > tries.createdAtMs + rule.giveUpAfterMs;
  return over ? null : atMs;
}

import type { Matcher } from '../domain/policy.ts';
import type { Alert } from '../domain/state.ts';

/** Where alerts come from when it is asked, instead of telling us. One an Alertmanager. Throws PortError: unreachable is not "resolved". */
export interface AlertSource {
  /** Everything it holds now, muted or not. */
  list(signal: AbortSignal): Promise<AlertList>;
  /** Sees to it that a silence with this tag, these matchers and this end stands: found again by its tag, never made twice. */
  silence(silence: Silence, signal: AbortSignal): Promise<void>;
  /** Ends every silence with this tag; none is no error. */
  lift(tag: string, signal: AbortSignal): Promise<void>;
}

export interface AlertList {
  readonly alerts: readonly HeldAlert[];
  /**
   * Since when it runs (Unix ms); null: not told. One that came up just now knows nothing until Prometheus has sent again (a minute
   * or so): absence from its list says nothing yet.
   */
  readonly upSinceMs: number | null;
}

export interface HeldAlert {
  /** Always firing: what is resolved is not held. */
  readonly alert: Alert;
  /** Silenced or inhibited: still firing, but nobody is told. */
  readonly muted: boolean;
  /** Tags of our own silences among what mutes it. */
  readonly mutedByTags: readonly string[];
  /** Inhibited, or silenced by a silence that is not ours: then it says nothing, neither that it is well nor that it is not. */
  readonly mutedByOthers: boolean;
}

export interface Silence {
  /** Ours alone: instance and degradation. Stands in the comment. */
  readonly tag: string;
  /** One silence each; all matchers of one must hold. */
  readonly selectors: readonly (readonly Matcher[])[];
  readonly untilMs: number;
  readonly comment: string;
}

import type { Policy } from '../domain/policy.ts';

/** Where a person is woken. Throws PortError. */
export interface Pager {
  send(page: Page, signal: AbortSignal): Promise<void>;
}

export interface Page {
  readonly action: 'trigger' | 'acknowledge' | 'resolve';
  /** One a degradation. */
  readonly dedupKey: string;
  readonly summary: string;
  readonly service: string;
  readonly severity: NonNullable<Policy['escalate']>['severity'];
  readonly routingKey: string | null;
  readonly links: readonly { readonly text: string; readonly href: string }[];
  readonly details: Readonly<Record<string, string | number | null>>;
}

import { createHash } from 'node:crypto';
import type { EventPayloadV2 } from '@pagerduty/pdjs/build/src/events.js';
import type { Page } from '../ports/pager.ts';

/** Limits of the Events API v2: longer summaries and keys are refused, as is a body over 512 KB. */
const longestSummary = 1024;
const longestKey = 255;
/** Our own, so that the body stays under its limit whatever the details say, even where every character is escaped. */
const mostDetails = 50;
const longestDetailName = 100;
const longestDetail = 1000;
const mostLinks = 10;
const longestLink = 2000;

export type EventBody = EventPayloadV2 & { readonly client: string };

/** A page as the Events API v2 takes it. */
export function eventOf(page: Page, routingKey: string): EventBody {
  return {
    routing_key: routingKey,
    event_action: page.action,
    dedup_key: dedupKey(page.dedupKey),
    client: 'Lastgood',
    payload: {
      summary: cut(page.summary.trim(), longestSummary) || `Lastgood: ${page.service}`,
      source: page.service,
      severity: page.severity,
      component: page.service,
      custom_details: details(page.details),
    },
    links: page.links
      .filter((link) => isLink(link.href))
      .slice(0, mostLinks)
      .map(({ href, text }) => ({ href, text: cut(text, 200) })),
  };
}

/** One that is too long keeps its beginning and is told apart by its hash: the same in, the same out. */
function dedupKey(key: string): string {
  if (key.length <= longestKey) return key;
  const hash = createHash('sha256').update(key).digest('hex');
  return `${key.slice(0, longestKey - hash.length - 1)}-${hash}`;
}

function details(given: Page['details']): Record<string, string | number | null> {
  const entries = Object.entries(given).slice(0, mostDetails);
  return Object.fromEntries(
    entries.map(([name, value]) => [
      cut(name, longestDetailName),
      typeof value === 'string' ? cut(value, longestDetail) : value,
    ]),
  );
}

/** PagerDuty shows links as they are: only addresses a browser opens. */
function isLink(href: string): boolean {
  return href.length <= longestLink && /^https?:$/.test(URL.parse(href)?.protocol ?? '');
}

/** At most `length` UTF-16 units, never half a character. */
function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  const last = text.charCodeAt(length - 2);
  const whole = last >= 0xd800 && last <= 0xdbff ? length - 2 : length - 1;
  return `${text.slice(0, whole)}…`;
}

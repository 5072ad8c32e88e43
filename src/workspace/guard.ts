import type { IncomingHttpHeaders } from 'node:http';

const loopback = new Set(['127.0.0.1', 'localhost', '[::1]']);

/**
 * Whether a request for the page's own endpoints may be answered; the reason if not.
 * The Host must be a loopback name (a rebound DNS name is not), and whoever changes something must say it comes from here.
 */
export function refusal(method: string, headers: IncomingHttpHeaders): string | null {
  const host = headers.host ?? '';
  if (!loopback.has(host.replace(/:\d+$/, ''))) return 'This page answers on loopback addresses only.';
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return 'Requests from other sites are refused.';
  if (headers.origin !== undefined && originHost(headers.origin) !== host) {
    return 'Requests from other origins are refused.';
  }
  if (method !== 'GET' && method !== 'HEAD') {
    if (headers.origin === undefined) return 'A request that changes something must name its origin.';
    if (!(headers['content-type'] ?? '').startsWith('application/json')) return 'Send JSON.';
  }
  return null;
}

function originHost(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null;
}

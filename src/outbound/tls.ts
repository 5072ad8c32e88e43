import http from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import type { Endpoint } from '../domain/policy.ts';

type Tls = Endpoint['tls'];

/** The connections kept open: one pool for plain HTTP, one for each set of TLS options. */
export interface Agents {
  http: http.Agent;
  https(tls: Tls | undefined): https.Agent;
  close(): void;
}

// Certificates that are renewed make new pools; the oldest are let go, their idle connections end with the server's time-out.
const mostPools = 50;

/**
 * @param maxSockets open connections to one host at the same time; what comes beyond waits.
 * @param lookup in the place of the system's, for every new connection.
 */
export function createAgents(maxSockets: number, lookup?: LookupFunction): Agents {
  const options = { keepAlive: true, maxSockets, scheduling: 'lifo' as const, ...(lookup ? { lookup } : {}) };
  const plain = new http.Agent(options);
  const pools = new Map<string, https.Agent>();
  return {
    http: plain,
    https(tls) {
      const material = { ca: tls?.ca ?? undefined, cert: tls?.cert ?? undefined, key: tls?.key ?? undefined };
      const rejectUnauthorized = !tls?.insecure;
      const name = JSON.stringify([material, rejectUnauthorized]);
      const known = pools.get(name);
      if (known) return known;
      const agent = new https.Agent({ ...options, ...material, rejectUnauthorized });
      pools.set(name, agent);
      if (pools.size > mostPools) pools.delete([...pools.keys()][0] ?? '');
      return agent;
    },
    close() {
      plain.destroy();
      for (const agent of pools.values()) agent.destroy();
      pools.clear();
    },
  };
}

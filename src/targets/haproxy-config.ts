import { z } from 'zod';
import { timeout } from './fields.ts';
import { parseServerNames } from './haproxy-names.ts';

const unixSocket = /^\/[^\0\r\n]{1,106}$/;
const hostAndPort = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})$/;

const node = z.string().refine((text) => {
  const port = Number(hostAndPort.exec(text)?.[1] ?? 0);
  return unixSocket.test(text) || (port >= 1 && port <= 65_535);
}, 'must be where the Runtime API listens: host:port, or the path of its Unix socket like /run/haproxy/admin.sock');

/** The `haproxy` target of a policy: the weights of one backend's servers, in every process that serves it. */
export const haproxyConfig = z.strictObject({
  kind: z.literal('haproxy').optional(),
  timeout: timeout.default('2s').describe('For each call, everything together'),
  nodes: z
    .array(node)
    .min(1)
    .max(32)
    .refine((nodes) => new Set(nodes).size === nodes.length, 'names the same node twice')
    .describe('The Runtime API (level admin) of every HAProxy process: host:port or the path of a Unix socket'),
  backend: z
    .string()
    .regex(/^[A-Za-z0-9_.:-]+$/, 'must be the name of a backend or listen section')
    .describe('Every server in it that is not a backup belongs to a version'),
  server: z
    .string()
    .default('{{version}}')
    .superRefine((template, context) => {
      const { problem } = parseServerNames(template);
      if (problem !== null) context.addIssue({ code: 'custom', message: problem });
    })
    .describe("How a version's server is called; a * at the end stands for the letters and digits of several"),
  minimumUp: z
    .number()
    .min(1)
    .max(100)
    .default(80)
    .describe("How much of a version's servers, in per cent, must be up for it to be ready"),
});

export type HaproxyConfig = z.output<typeof haproxyConfig>;

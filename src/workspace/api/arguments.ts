import type { IncomingMessage } from 'node:http';
import { missing, SlackError } from '../errors.ts';
import { type Fields, isFields } from '../fields.ts';

/** The arguments of one Web API call, from a form, JSON or the query. */
export class Arguments {
  readonly fields: Fields;

  constructor(fields: Fields) {
    this.fields = fields;
  }

  text(name: string): string | undefined {
    const value = this.fields[name];
    if (value === undefined || value === null) return undefined;
    return typeof value === 'string' ? value : JSON.stringify(value);
  }

  required(name: string): string {
    const value = this.text(name);
    if (value === undefined || value === '') throw missing(name);
    return value;
  }

  flag(name: string): boolean {
    return ['true', '1'].includes(String(this.fields[name]));
  }

  number(name: string, fallback: number, max: number): number {
    const text = this.text(name);
    if (text === undefined) return fallback;
    const value = Number(text);
    if (!Number.isInteger(value) || value < 1) throw new SlackError('invalid_limit');
    return Math.min(value, max);
  }

  /** A field that is JSON, sent as itself or as a string. */
  json(name: string): unknown {
    const value = this.fields[name];
    if (typeof value !== 'string') return value;
    try {
      return JSON.parse(value);
    } catch {
      throw new SlackError('invalid_arguments', { errors: [`failed to parse JSON [json-pointer:/${name}]`] });
    }
  }
}

/** Reads a request's body as a whole; refuses more than `limit` bytes by ending the connection. */
export function readBody(request: IncomingMessage, limitBytes = 10_000_000): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > limitBytes) {
        reject(new Error(`The request is larger than ${limitBytes} bytes`));
        request.destroy();
      } else {
        chunks.push(chunk);
      }
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', reject);
  });
}

/** The arguments of a call from its query and body, by the body's content type. */
export function parseArguments(query: URLSearchParams, contentType: string | undefined, body: string): Fields {
  const fields: Fields = Object.fromEntries(query);
  const type = (contentType ?? '').split(';')[0]?.trim().toLowerCase();
  if (body === '') return fields;
  if (type === 'application/json') {
    let parsed: unknown;
    try {
      parsed = JSON.parse(body);
    } catch {
      throw new SlackError('invalid_json');
    }
    if (!isFields(parsed)) throw new SlackError('json_not_object');
    return { ...fields, ...parsed };
  }
  if (type === 'application/x-www-form-urlencoded') {
    return { ...fields, ...Object.fromEntries(new URLSearchParams(body)) };
  }
  throw new SlackError(type === '' ? 'missing_post_type' : 'invalid_post_type');
}

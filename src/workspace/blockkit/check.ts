import { type Fields, isFields } from '../fields.ts';
import { limits } from './limits.ts';

/** Where blocks are shown: some block types exist on some surfaces only. */
export type Surface = 'message' | 'modal' | 'home';

export interface TextRule {
  max: number;
  types?: readonly ('plain_text' | 'mrkdwn')[];
  required?: boolean;
}

/** Collects what is wrong with blocks, in Slack's words and with JSON pointers, while they are walked. */
export class Check {
  readonly surface: Surface;
  readonly errors: string[] = [];
  /** Whether a file may already be used as `slack_file`. */
  readonly fileReady: (id: string) => boolean;
  /** Visible characters so far. */
  characters = 0;
  markdownCharacters = 0;
  tables = 0;
  charts = 0;
  private readonly blockIds = new Set<string>();

  constructor(surface: Surface, fileReady: (id: string) => boolean) {
    this.surface = surface;
    this.fileReady = fileReady;
  }

  fail(message: string, at: string): void {
    this.errors.push(`${message} [json-pointer:${at}]`);
  }

  /** Only these fields may be there: Slack refuses additional ones. `type` and `block_id`/`action_id` are named by the caller. */
  onlyFields(value: Fields, at: string, allowed: readonly string[]): void {
    for (const key of Object.keys(value)) {
      if (!allowed.includes(key)) this.fail(`invalid additional property: ${key}`, at);
    }
  }

  required(value: Fields, at: string, ...names: string[]): boolean {
    let complete = true;
    for (const name of names) {
      if (value[name] === undefined || value[name] === null) {
        this.fail(`missing required field: ${name}`, at);
        complete = false;
      }
    }
    return complete;
  }

  object(value: unknown, at: string): Fields | null {
    if (isFields(value)) return value;
    this.fail('must provide an object', at);
    return null;
  }

  list(value: unknown, at: string, size: { min: number; max: number }): unknown[] {
    if (!Array.isArray(value)) {
      this.fail('must provide an array', at);
      return [];
    }
    if (value.length > size.max) this.fail(`no more than ${size.max} items allowed`, at);
    if (value.length < size.min) this.fail(`no less than ${size.min} items required`, at);
    return value;
  }

  /** A plain string field. Absent is fine: `required` says otherwise. */
  string(value: unknown, at: string, size: { min?: number; max: number; visible?: boolean }): void {
    if (value === undefined) return;
    if (typeof value !== 'string') {
      this.fail('must provide a string', at);
      return;
    }
    if (value.length < (size.min ?? 1)) this.fail(`must be more than ${(size.min ?? 1) - 1} characters`, at);
    if (value.length > size.max) this.fail(`must be less than ${size.max + 1} characters`, at);
    if (size.visible === true) this.characters += value.length;
  }

  boolean(value: unknown, at: string): void {
    if (value !== undefined && typeof value !== 'boolean') this.fail('must provide a boolean', at);
  }

  oneOf(value: unknown, at: string, allowed: readonly string[]): void {
    if (value === undefined) return;
    if (typeof value !== 'string' || !allowed.includes(value)) {
      this.fail(`must be a valid enum value: ${allowed.join(', ')}`, at);
    }
  }

  url(value: unknown, at: string): void {
    if (value === undefined) return;
    this.string(value, at, { max: limits.url });
    if (typeof value === 'string' && !/^[a-z][a-z0-9+.-]*:\/?\/?\S+$/i.test(value)) {
      this.fail('must be a valid URL', at);
    }
  }

  /** A text object. */
  text(value: unknown, at: string, rule: TextRule): void {
    if (value === undefined) return;
    const types = rule.types ?? ['plain_text', 'mrkdwn'];
    const text = this.object(value, at);
    if (text === null) return;
    if (typeof text.type !== 'string' || !(types as readonly string[]).includes(text.type)) {
      this.fail(`unsupported type: ${String(text.type)}, must be ${types.join(' or ')}`, `${at}/type`);
      return;
    }
    const plain = text.type === 'plain_text';
    this.onlyFields(text, at, plain ? ['type', 'text', 'emoji'] : ['type', 'text', 'verbatim']);
    if (!this.required(text, at, 'text')) return;
    this.string(text.text, `${at}/text`, { max: rule.max, visible: true });
    this.boolean(plain ? text.emoji : text.verbatim, `${at}/${plain ? 'emoji' : 'verbatim'}`);
  }

  blockId(value: unknown, at: string): void {
    if (value === undefined) return;
    this.string(value, at, { max: limits.id });
    if (typeof value !== 'string') return;
    if (this.blockIds.has(value)) this.fail(`block_id "${value}" already exists`, at);
    this.blockIds.add(value);
  }
}

export const plain = ['plain_text'] as const;

import type { z } from 'zod';
import { type Finding, valueAt } from './explain.ts';
import type { Path } from './problem.ts';

/** A policy's value being checked, and what was found wrong with it so far. */
export class Check {
  readonly findings: Finding[] = [];
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }
  at(path: Path): unknown {
    return valueAt(this.value, path);
  }
  /** The value at a path, where there is a valid one. */
  read<T>(schema: z.ZodType<T>, path: Path): T | undefined {
    const result = schema.safeParse(this.at(path));
    return result.success ? result.data : undefined;
  }
  list(path: Path): readonly unknown[] {
    const value = this.at(path);
    return Array.isArray(value) ? value : [];
  }
  text(path: Path): string | undefined {
    const value = this.at(path);
    return typeof value === 'string' ? value : undefined;
  }
  has(path: Path): boolean {
    return this.at(path) !== undefined;
  }
  say(path: Path, message: string, at: 'key' | 'value' = 'value'): void {
    this.findings.push({ path, at, message });
  }
}

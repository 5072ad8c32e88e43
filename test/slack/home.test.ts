import { describe, expect, it } from 'vitest';
import { degradedModes } from '../../src/app/degraded.ts';
import type { Health, HealthPart } from '../../src/ports/health.ts';
import { home } from '../../src/slack/home.ts';
import { validateView } from '../../src/workspace/blockkit/validate.ts';
import { overviewOf } from './stage.ts';
import { policy, state } from './states.ts';

const now = Date.parse('2026-11-21T12:16:00Z');
const sinceMs = Date.parse('2026-11-21T12:04:00Z');

function health(parts: readonly HealthPart[]): Health {
  return { parts: () => parts, degraded: () => degradedModes(parts) };
}

function textOf(view: unknown): string {
  return JSON.stringify(view).replaceAll('\\n', '\n');
}

const well: HealthPart = { part: 'store', name: 'database', ok: true, sinceMs, detail: 'answers', failures: 0 };
const prometheus: HealthPart = {
  part: 'prometheus',
  name: 'http://prometheus:9090',
  ok: false,
  sinceMs,
  detail: 'connection refused <!channel>',
  failures: 3,
};

describe('the health on App Home', () => {
  const statuses = [{ policy: policy(), state: state() }];

  it('is one line where nothing is wrong, and nothing where nobody looked', () => {
    expect(textOf(home(overviewOf(statuses), now, health([well])))).toContain(
      'Health: 1 parts looked at, nothing is wrong',
    );
    expect(textOf(home(overviewOf(statuses), now, health([])))).toContain('Health: not looked at yet');
    expect(textOf(home(overviewOf(statuses), now))).not.toContain('Health');
  });

  it('says what does not work and what still does, and notifies nobody by it', () => {
    const view = textOf(home(overviewOf(statuses), now, health([well, prometheus])));
    expect(view).toContain('*Health (1 of 2 in trouble)*');
    expect(view).toContain('Prometheus http://prometheus:9090 does not answer as it should since 12:04:00 UTC');
    expect(view).toContain('Gates stay closed and a deadline holds and pages instead of rolling back');
    expect(view).not.toContain('<!channel>');
  });

  it('leaves room for the services, however much is wrong', () => {
    const parts = Array.from({ length: 60 }, (_, n) => ({
      ...prometheus,
      name: `http://p${n}`,
      detail: '&'.repeat(5_000),
    }));
    const view = home(overviewOf(Array(200).fill(statuses[0])), now, health(parts));
    expect(validateView(view, 'home')).toBeNull();
    expect(textOf(view)).toContain('and 56 more: `lastgood doctor`');
    expect(textOf(view)).toContain('fraud-scorer');
  });
});

import type { Finding } from './explain.ts';
import { Check } from './findings.ts';
import { checkGates, isShadowStep } from './gates.ts';
import { MatcherProblem, matchesEmpty, parseMatchers } from './matchers.ts';
import { checkMetrics } from './metric-checks.ts';
import type { Path } from './problem.ts';
import { secretPrefix } from './secrets.ts';
import { checkStrategy } from './strategy.ts';
import { duration, exposure, formatDuration, hasCredentials } from './values.ts';

/** Defaults that other keys are held against; the rest stand where the policy is built. */
export const defaultDeadlineMs = 15 * 60_000;
export const defaultVerify = { soakMs: 2 * 60_000, maxSoakMs: 10 * 60_000 };
export const defaultMaxSoakFactor = 3;

/**
 * What several keys have to agree on. Reads each value by itself, so that one that cannot be read does not hide what is wrong
 * with the others.
 */
export function crossCheck(value: unknown, targetSteps: 'any' | 'switch' | null): Finding[] {
  const check = new Check(value);
  checkPath(check, ['steps'], forward);
  checkPath(check, ['rollback', 'phases'], backward);
  checkSoak(check, ['rollback', 'verify'], defaultVerify.soakMs);
  checkStrategy(check, targetSteps);
  checkDeadlines(check);
  checkMetrics(check);
  checkGates(check);
  checkAlerts(check);
  checkApprovers(check);
  for (const key of ['prometheus', 'alertmanager']) checkEndpoint(check, [key]);
  checkAddresses(check, value, []);
  return check.findings;
}

const anyDuration = duration();

interface Way {
  readonly one: string;
  readonly direction: 'more' | 'less';
  readonly end: number;
}
const forward: Way = { one: 'step', direction: 'more', end: 100 };
const backward: Way = { one: 'phase', direction: 'less', end: 0 };

function checkPath(check: Check, path: Path, way: Way): void {
  const items = check.list(path);
  let before: number | undefined;
  for (const index of items.keys()) {
    const here = [...path, index];
    const last = index === items.length - 1;
    const value = check.read(exposure, [...here, 'exposure']);
    if (value !== undefined) {
      if (before !== undefined && (way.direction === 'more' ? value <= before : value >= before)) {
        check.say(
          [...here, 'exposure'],
          `must be ${way.direction} than the ${way.one} before (${before}), is ${value}`,
        );
      } else if (last && value !== way.end) {
        check.say([...here, 'exposure'], `the last ${way.one} must be ${way.end}, is ${value}`);
      } else if (way === forward && value === 0 && !isShadowStep(check, here)) {
        check.say(
          [...here, 'exposure'],
          'must be more than 0: a rollout begins at 0 by itself (only a step with a gate of kind shadow stands there)',
        );
      }
      before = value;
    }
    const isMapping = typeof items[index] === 'object' && items[index] !== null;
    if (!last && isMapping && !check.has([...here, 'soak'])) {
      check.say([...here, 'soak'], `is missing: how long it stays at this ${way.one} (only the last one needs none)`);
    }
    checkSoak(check, here, null);
  }
}

/** The gate is asked after `soak` and gives up after `maxSoak`. */
function checkSoak(check: Check, path: Path, defaultSoakMs: number | null): void {
  const soak = check.read(anyDuration, [...path, 'soak']) ?? (check.has([...path, 'soak']) ? null : defaultSoakMs);
  const maxSoak = check.read(anyDuration, [...path, 'maxSoak']);
  if (soak === null || soak === undefined || maxSoak === undefined || maxSoak >= soak) return;
  check.say([...path, 'maxSoak'], `must be at least soak (${formatDuration(soak)}), is ${formatDuration(maxSoak)}`);
}

function checkDeadlines(check: Check): void {
  const given = (path: Path) => check.read(anyDuration, path);
  const byDefault = !check.has(['respond', 'deadline']);
  const deadline = byDefault ? defaultDeadlineMs : given(['respond', 'deadline']);
  const critical = given(['respond', 'criticalDeadline']);
  const after = given(['escalate', 'after']);
  const named = (ms: number) => `(${formatDuration(ms)}${byDefault ? ' by default' : ''})`;
  if (critical !== undefined && deadline !== undefined && critical > deadline) {
    check.say(
      ['respond', 'criticalDeadline'],
      `must not be longer than respond.deadline ${named(deadline)}, is ${formatDuration(critical)}`,
    );
  }
  if (after === undefined) return;
  if (deadline !== undefined && after >= deadline) {
    check.say(['escalate', 'after'], `must be before respond.deadline ${named(deadline)}, is ${formatDuration(after)}`);
  } else if (critical !== undefined && after >= critical) {
    check.say(
      ['escalate', 'after'],
      `must be before respond.criticalDeadline (${formatDuration(critical)}), is ${formatDuration(after)}`,
    );
  }
}

function checkAlerts(check: Check): void {
  for (const index of check.list(['alerts']).keys()) {
    const path = ['alerts', index, 'match'];
    const listed = check.list(path);
    const places: Path[] = Array.isArray(check.at(path)) ? [...listed.keys()].map((item) => [...path, item]) : [path];
    if (places.length === 0) check.say(path, 'must have at least one matcher such as severity="critical"');
    let selective = places.length === 0;
    for (const place of places) {
      const text = check.text(place);
      if (text === undefined) {
        selective = true;
        continue;
      }
      try {
        selective = parseMatchers(text).some((matcher) => !matchesEmpty(matcher)) || selective;
      } catch (error) {
        if (!(error instanceof MatcherProblem)) throw error;
        selective = true;
        check.say(place, `${error.message} (at character ${error.at + 1} of ${JSON.stringify(text)})`);
      }
    }
    if (!selective) {
      check.say(
        path,
        'at least one matcher must demand a label, or alerts of every service would match: add one such as service="…"',
      );
    }
  }
}

function checkApprovers(check: Check): void {
  const users = check.list(['approvers', 'users']);
  const quorum = check.at(['approvers', 'quorum']);
  const everybody = users.includes('*');
  for (const [index, user] of users.entries()) {
    if (users.indexOf(user) < index) check.say(['approvers', 'users', index], `${String(user)} is named twice`);
    else if (user === '*' && users.length > 1)
      check.say(['approvers', 'users', index], '"*" lets everybody in: leave the others out');
  }
  if (typeof quorum === 'number' && users.length > 0 && !everybody && quorum > new Set(users).size) {
    check.say(
      ['approvers', 'quorum'],
      `must not be more than the number of users (${new Set(users).size}), is ${quorum}`,
    );
  }
}

function checkEndpoint(check: Check, path: Path): void {
  const headers = check.at([...path, 'headers']);
  const named = typeof headers === 'object' && headers !== null ? Object.keys(headers) : [];
  const ways = [
    ...named.filter((name) => name.toLowerCase() === 'authorization').map((name) => ['headers', name]),
    ...['bearer', 'basic'].filter((key) => check.has([...path, key])).map((key) => [key]),
  ];
  for (const way of ways.slice(1))
    check.say([...path, ...way], 'give one of bearer, basic and headers.Authorization, not several', 'key');
  for (const [one, other] of [
    ['cert', 'key'],
    ['key', 'cert'],
  ] as const) {
    if (check.has([...path, 'tls', one]) && !check.has([...path, 'tls', other])) {
      check.say([...path, 'tls', one], `needs ${other} as well`, 'key');
    }
  }
}

/** Addresses get logged: nothing secret may be part of one, wherever in the policy it stands. */
function checkAddresses(check: Check, value: unknown, path: Path): void {
  if (typeof value === 'string') {
    if (hasCredentials(value.trim())) {
      check.say(
        path,
        `must not contain a user or password: give them as a header, from a variable that begins with ${secretPrefix}`,
      );
    }
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) checkAddresses(check, item, [...path, index]);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) checkAddresses(check, item, [...path, key]);
  }
}

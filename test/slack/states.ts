import type { Comparison, MetricComparison, Verdict } from '../../src/analysis/types.ts';
import type { JournalEntry } from '../../src/domain/effect.ts';
import type { Policy } from '../../src/domain/policy.ts';
import type { Served } from '../../src/domain/served.ts';
import type {
  Actor,
  Alert,
  Degradation,
  DegradationStage,
  Phase,
  Rollback,
  Rollout,
  ServiceState,
} from '../../src/domain/state.ts';
import type { CardView } from '../../src/ports/chat.ts';
import { policy as basePolicy, HOUR, MINUTE, servedFor } from '../support/policy.ts';

/** 2026-11-21 12:00:00 UTC. */
export const NOON = Date.parse('2026-11-21T12:00:00Z');
export const at = (minutes: number) => NOON + minutes * MINUTE;

export const ada: Actor = { kind: 'person', id: 'U024BE7LH', name: 'ada' };
export const bob: Actor = { kind: 'person', id: 'U0BOB0000', name: 'bob' };
export const automatic: Actor = { kind: 'policy', id: 'fraud-scorer@rev1', name: 'fraud-scorer@rev1' };

export const policy = (patch: Partial<Policy> = {}): Policy =>
  basePolicy({
    runbookUrl: 'https://runbooks.example.com/fraud',
    dashboardUrl: 'https://grafana.example.com/d/fraud',
    approvers: { users: [ada.id, bob.id], quorum: 2 },
    ...patch,
  });

export function metric(patch: Partial<MetricComparison> = {}): MetricComparison {
  return {
    metric: 'errors',
    title: 'Error rate',
    unit: '%',
    direction: 'lower-is-better',
    isShare: true,
    verdict: 'degraded',
    stableVerdict: 'healthy',
    candidateVersusPast: 'degraded',
    stableBefore: { value: 0.019, samples: 40_000 },
    stableNow: { value: 0.02, samples: 12_345 },
    candidateNow: { value: 0.0412, samples: 12_300 },
    change: { estimate: 2.06, lower: 1.35, upper: 2.87 },
    limit: 1.25,
    changeIs: 'ratio',
    limitText: '1.25×',
    evidence: 1500,
    critical: false,
    weight: 1,
    sentence: 'Error rate 4.1 % vs 2.0 % on stable: 2.1× (1.35×–2.87×), above the 1.25× limit.',
    line: [0, 1, 2, 3].map((i) => ({ endMs: at(i), stable: 0.02, candidate: 0.03 + i / 200 })),
    ...patch,
  };
}

export const latency = (verdict: Verdict = 'healthy') =>
  metric({
    metric: 'latency',
    title: 'Slow answers',
    unit: 's',
    isShare: false,
    verdict,
    stableBefore: { value: 0.21, samples: 900 },
    stableNow: { value: 0.214, samples: 900 },
    candidateNow: { value: 0.22, samples: 880 },
    change: { estimate: 0.006, lower: -0.01, upper: 0.02 },
    changeIs: 'difference',
    limitText: '+0.05 s',
    limit: 0.05,
    evidence: 0.4,
    sentence: 'Slow answers 0.22 s vs 0.214 s on stable.',
  });

export function comparison(patch: Partial<Comparison> = {}): Comparison {
  return {
    atMs: at(3),
    verdict: 'degraded',
    stableVerdict: 'healthy',
    commonCause: false,
    critical: false,
    score: 21,
    culprits: ['errors'],
    improved: [],
    metrics: [latency(), metric()],
    missing: null,
    ...patch,
  };
}

export const alert = (patch: Partial<Alert> = {}): Alert => ({
  fingerprint: 'f1',
  name: 'HighErrorRate',
  severity: 'critical',
  status: 'firing',
  startsAtMs: at(0),
  endsAtMs: null,
  summary: 'Error rate of fraud-scorer above 3 %',
  description: '',
  labels: { alertname: 'HighErrorRate', service: 'fraud-scorer' },
  generatorUrl: 'https://prometheus.example.com/graph?g0.expr=up&g0.tab=1',
  runbookUrl: '',
  ...patch,
});

function planOf({ steps, rollback, metrics, comparison, strategy, objective }: Policy) {
  return { steps, rollback, metrics, comparison, strategy, objective };
}

export function rollout(patch: Partial<Rollout> = {}): Rollout {
  const p = policy();
  return {
    id: 'fraud-scorer-r3',
    stable: { id: 'v41' },
    candidate: { id: 'v42', commit: 'abc1234' },
    startedAtMs: at(-20),
    startedBy: ada,
    reason: 'new features',
    plan: { ...planOf(p), revision: 'rev1' },
    exposurePercent: 50,
    step: 1,
    phase: { name: 'deciding', sinceMs: at(0), during: 'advancing' },
    epoch: 4,
    shifts: [
      { atMs: at(-20), exposurePercent: 10 },
      { atMs: at(-5), exposurePercent: 50 },
    ],
    votes: [],
    overridden: [],
    comparison: comparison(),
    origin: 'start',
    wayBack: null,
    ...patch,
  };
}

export const rollback = (patch: Partial<Rollback> = {}): Rollback => ({
  by: ada,
  reason: 'errors doubled',
  beganAtMs: at(4),
  fromPercent: 50,
  phases: policy().rollback.phases.slice(1),
  phase: 0,
  stage: 'soaking',
  soakUntilMs: at(5),
  maxSoakUntilMs: at(9),
  ...patch,
});

export const asking: DegradationStage = {
  name: 'asking',
  deadlineMs: at(15),
  escalateAtMs: at(5),
  measuring: false,
};

export function degradation(patch: Partial<Degradation> = {}): Degradation {
  return {
    id: 'fraud-scorer-d5',
    rolloutId: 'fraud-scorer-r3',
    openedAtMs: at(0),
    severity: 'critical',
    signals: [{ kind: 'alert', fingerprint: 'f1', name: 'HighErrorRate', severity: 'critical', atMs: at(0) }],
    stage: asking,
    extendedMs: 0,
    acknowledged: null,
    silencedUntilMs: null,
    comparison: comparison(),
    milestones: [{ what: 'opened', atMs: at(0), exposurePercent: 50, comparison: comparison() }],
    page: { state: 'none', atMs: null, by: null },
    decision: null,
    epoch: 2,
    ...patch,
  };
}

export const ended = (outcome: Extract<DegradationStage, { name: 'ended' }>['outcome']): DegradationStage => ({
  name: 'ended',
  atMs: at(12),
  outcome,
});

export function state(patch: Partial<ServiceState> = {}): ServiceState {
  return {
    schema: 1,
    service: 'fraud-scorer',
    clockMs: at(3),
    freeze: null,
    automationOff: null,
    served: [servedFor('v40', at(-3000), at(-2000)), servedFor('v41', at(-2000), null)],
    rollout: rollout(),
    degradation: degradation(),
    past: { rollouts: [], degradations: [] },
    alerts: [alert()],
    shift: null,
    look: null,
    probe: null,
    timers: {},
    assertedPercent: null,
    counts: { rollouts: 1, degradations: 1 },
    sequence: 9,
    ...patch,
  };
}

/** v42 was served everything an hour ago; before it v41 for 3 d 4 h, well but for its first hours, and v40 for 12 min. */
export const servedLong: readonly Served[] = [
  servedFor('v40', at(-4632), at(-4620)),
  servedFor('v41', at(-4620), at(-60), {
    longestCleanMs: 4320 * MINUTE,
    looks: { healthy: 205, degraded: 0, inconclusive: 7, 'no-data': 0 },
    degradations: ['fraud-scorer-d4'],
  }),
  servedFor('v42', at(-60), null),
];

/** Its rollout has ended well so far: it has everything and is watched. */
export const watched: Partial<Rollout> = {
  phase: { name: 'watching', sinceMs: at(-60), untilMs: at(1380) },
  exposurePercent: 100,
  step: 2,
  shifts: [{ atMs: at(-60), exposurePercent: 100 }],
};

/** Blue/green: two whole arms, a warm-up of 1 min, and the old arm kept for 2 h. */
export const blueGreen: Rollout['plan'] = {
  ...planOf(basePolicy()),
  revision: 'rev1',
  steps: [{ exposurePercent: 100, soakMs: 0, maxSoakMs: 0 }],
  rollback: { ...basePolicy().rollback, phases: [{ exposurePercent: 0, soakMs: 0, maxSoakMs: 0 }] },
  strategy: { kind: 'blue-green', warmUp: { soakMs: MINUTE, maxSoakMs: 5 * MINUTE }, keepMs: 2 * HOUR },
};

interface Scene {
  readonly state?: Partial<ServiceState>;
  readonly policy?: Partial<Policy>;
  readonly rollout?: Partial<Rollout> | null;
  readonly degradation?: Partial<Degradation> | null;
  readonly current?: boolean;
}

/** A view of one card, in the state the story is in, with what a test changes. */
export function view(kind: 'degradation' | 'rollout', scene: Scene = {}): CardView {
  const theRollout = scene.rollout === null ? null : rollout(scene.rollout);
  const theDegradation =
    scene.degradation === null
      ? null
      : degradation({ rolloutId: theRollout?.id ?? null, ...(scene.degradation ?? {}) });
  const whole = state({ rollout: theRollout, degradation: theDegradation, ...scene.state });
  return {
    card: { kind, id: kind === 'rollout' ? (theRollout?.id ?? '') : (theDegradation?.id ?? '') },
    policy: policy(scene.policy),
    state: whole,
    rollout: theRollout,
    degradation: theDegradation,
    current: scene.current ?? true,
  };
}

export const inPhase = (phase: Phase, patch: Partial<Rollout> = {}): Partial<Rollout> => ({ phase, ...patch });

export const entry = (patch: Partial<JournalEntry> = {}): JournalEntry => ({
  atMs: at(4),
  actor: ada,
  what: 'rollback-decided',
  rolloutId: 'fraud-scorer-r3',
  degradationId: 'fraud-scorer-d5',
  from: { version: 'v42', exposurePercent: 50 },
  to: { version: 'v41', exposurePercent: 100 },
  reason: 'errors doubled',
  text: '@ada takes fraud-scorer back to v41: 50 % → 10 % → 0 %. Reason: errors doubled',
  numbers: [],
  policyRevision: 'rev1',
  ...patch,
});

/** Text that tries everything: mentions, markup, right-to-left overrides, control characters, emoji, torn surrogates. */
export const NASTY = `<!channel> <@U024BE7LH> &amp; *b* _i_ \`code\` | \u202eevil\u202c \u0007\u0000 אבג 👩‍👩‍👧‍👦 \ud800 \n\n> quote <https://evil.example|click>`;
export const nasty = (length: number) => NASTY.repeat(Math.ceil(length / NASTY.length)).slice(0, length);

export const metrics = (count: number, patch: Partial<MetricComparison> = {}): MetricComparison[] =>
  Array.from({ length: count }, (_, i) =>
    metric({
      metric: `m${i}`,
      title: `${i} ${nasty(200)}`,
      unit: nasty(30),
      sentence: nasty(3000),
      line: Array.from({ length: 20 }, (_p, j) => ({ endMs: at(j), stable: 123456.789, candidate: 987654.321 })),
      ...patch,
    }),
  );

/** Everything as long and as strange as it can get. */
export function worst(kind: 'degradation' | 'rollout', patch: Scene = {}): CardView {
  const alerts = Array.from({ length: 100 }, (_, i) =>
    alert({
      fingerprint: `f${i}`,
      name: nasty(500),
      summary: nasty(5000),
      description: nasty(5000),
      generatorUrl: `https://prometheus.example.com/graph?q=${'x'.repeat(1900)}|<&>`,
      runbookUrl: `https://runbooks.example.com/${'y'.repeat(1900)}`,
    }),
  );
  const steps = Array.from({ length: 60 }, (_, i) => ({ exposurePercent: i + 1, soakMs: HOUR, maxSoakMs: HOUR }));
  const long = comparison({ metrics: metrics(50), missing: nasty(5000), culprits: Array(50).fill(nasty(200)) });
  const mark = { by: { kind: 'person' as const, id: nasty(60), name: nasty(300) }, atMs: at(0), reason: nasty(3000) };
  const longVersion = {
    id: nasty(300),
    commit: nasty(300),
    dataset: nasty(300),
    changelogUrl: `https://x/${'z'.repeat(3000)}`,
  };
  return view(kind, {
    ...patch,
    policy: {
      description: nasty(3000),
      runbookUrl: `https://runbooks.example.com/${'r'.repeat(1900)}`,
      dashboardUrl: 'javascript:alert(1)',
      ...patch.policy,
    },
    state: { service: `s${'-long'.repeat(60)}`, alerts, freeze: mark, automationOff: mark, ...patch.state },
    rollout:
      patch.rollout === null
        ? null
        : {
            candidate: longVersion,
            stable: { id: nasty(300) },
            startedBy: mark.by,
            reason: nasty(3000),
            comparison: long,
            votes: Array.from({ length: 200 }, () => ({ by: mark.by, atMs: at(0) })),
            plan: { ...rollout().plan, steps },
            shifts: Array.from({ length: 200 }, (_, i) => ({ atMs: at(i), exposurePercent: i % 100 })),
            ...patch.rollout,
          },
    degradation: {
      comparison: long,
      signals: [
        ...alerts.map((a) => ({
          kind: 'alert' as const,
          fingerprint: a.fingerprint,
          name: a.name,
          severity: a.severity,
          atMs: at(0),
        })),
        { kind: 'gate-failed' as const, culprits: Array(50).fill(nasty(200)), atMs: at(0) },
      ],
      acknowledged: mark,
      decision: { by: mark.by, action: nasty(300), reason: nasty(3000), atMs: at(0) },
      milestones: (['opened', 'decided', 'ended'] as const).map((what) => ({
        what,
        atMs: at(0),
        exposurePercent: 50,
        comparison: long,
      })),
      page: { state: 'acknowledged', atMs: at(0), by: nasty(300) },
      ...patch.degradation,
    },
  });
}

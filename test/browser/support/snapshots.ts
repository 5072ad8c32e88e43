import type { JournalLine, Milestone, Moment, WorldSnapshot } from '../../../src/demo/world/types.ts';

/** A story written by hand, as the feed would tell it: what the page shows is then known to the digit. */

/** The demo's clock begins here: 14:00:00 UTC. */
export const BEGAN_MS = Date.UTC(2026, 10, 21, 14, 0, 0);
const SLOW_MS = 500;

type Point = WorldSnapshot['points'][string][number];

/** Everything below is in seconds since BEGAN_MS. */
const at = (seconds: number) => BEGAN_MS + seconds * 1000;
const wave = (seconds: number, size: number) =>
  size * (1 + 0.6 * Math.sin(seconds * 1.7) + 0.4 * Math.sin(seconds / 3.1));

const shifts: readonly (readonly [number, number])[] = [
  [20, 10],
  [34, 70],
  [92, 50],
  [98, 10],
  [104, 0],
];
const DEGRADED = [52, 104] as const;

function candidatePercent(second: number): number {
  return shifts.findLast(([from]) => second >= from)?.[1] ?? 0;
}

function pointsUntil(second: number): WorldSnapshot['points'] {
  const stable: Point[] = [];
  const candidate: Point[] = [];
  for (let s = Math.max(0, second - 120); s <= second; s += 1) {
    const percent = candidatePercent(s);
    stable.push({
      atMs: at(s),
      requestsPerSecond: 1.5 * (100 - percent),
      errorShare: wave(s, 0.006),
      slowShare: wave(s + 9, 0.004),
      wrongShare: null,
    });
    if (s < shifts[0]![0]) continue;
    const ramp = Math.min(1, Math.max(0, (s - DEGRADED[0]) / 4));
    const served = percent > 0;
    candidate.push({
      atMs: at(s) + 12,
      requestsPerSecond: 1.5 * percent,
      errorShare: served ? wave(s + 4, 0.007) + ramp * (0.3 + 0.02 * Math.sin(s)) : null,
      slowShare: served ? wave(s + 2, 0.006) + ramp * 0.07 : null,
      wrongShare: null,
    });
  }
  return { v41: stable, ...(candidate.length > 0 ? { v42: candidate } : {}) };
}

const written: readonly (readonly [number, string, string, string])[] = [
  [19, 'Maya Lindqvist', 'rollout-started', 'Rollout of v42 started: retrained on October’s payments.'],
  [20, 'policy@4be1', 'shifted', 'v42 has 10 % of the traffic, v41 90 %.'],
  [34, 'policy@4be1', 'gate-passed', 'The gate at 10 % passed: no metric of v42 is worse than v41’s.'],
  [34.4, 'policy@4be1', 'shifted', 'v42 has 70 % of the traffic, v41 30 %.'],
  [58, 'Alertmanager', 'alert-fired', 'ModelErrorRateHigh fires: v42 of fraud-scorer fails 30.4 % of its requests.'],
  [
    58.2,
    'policy@4be1',
    'question-opened',
    'People are asked: v42 stays at 70 %, and is rolled back at 14:01:28 unless somebody decides.',
  ],
  [70, 'policy@4be1', 'paged', 'PagerDuty was called: nobody had answered for 12 s.'],
  [88, 'policy@4be1', 'deadline-reached', 'Nobody answered. Error rate: v42 31.2 %, v41 0.5 %.'],
  [88.1, 'policy@4be1', 'rollback-decided', 'Rolling back from 70 % to 50 %, 10 % and 0 %.'],
  [92, 'policy@4be1', 'shifted', 'v42 has 50 % of the traffic, v41 50 %.'],
  [98, 'policy@4be1', 'shifted', 'v42 has 10 % of the traffic, v41 90 %.'],
  [104, 'policy@4be1', 'shifted', 'v42 has no traffic, v41 all of it.'],
  [111, 'policy@4be1', 'rolled-back', 'Back on v41, and well: error rate 0.6 %.'],
];

function journalUntil(second: number): JournalLine[] {
  return written
    .filter(([when]) => when <= second)
    .map(([when, who, what, text]) => ({ atMs: at(when), who, what, text }));
}

type Step = readonly ['forward' | 'back', number, Milestone['state'], string?];

function road(steps: readonly Step[], sinceSecond: number, untilSecond: number | null): Milestone[] {
  return steps.map(([direction, exposurePercent, state, note]) => ({
    direction,
    exposurePercent,
    state,
    sinceMs: state === 'present' ? at(sinceSecond) : null,
    untilMs: state === 'present' && untilSecond !== null ? at(untilSecond) : null,
    note: note ?? '',
  }));
}

type Control = WorldSnapshot['controls'][number];

function controls(candidate: string | null, { underWay, second }: Scene, factor: number): Control[] {
  const isDegraded = candidate !== null && second >= DEGRADED[0];
  const idle = candidate === null ? 'No candidate has traffic: start a rollout first.' : null;
  const name = candidate ?? 'the candidate';
  const worsen = (id: Control['id'], label: string): Control => ({
    id,
    label,
    blocked: idle,
    group: 'worsen',
    pressed: false,
  });
  return [
    {
      id: 'next',
      label: underWay ? 'Start v43' : 'Start v42',
      blocked: underWay ? 'A rollout is under way.' : null,
      group: 'rollout',
      pressed: false,
    },
    { ...worsen('errors', `Make ${name} fail`), pressed: isDegraded },
    worsen('latency', `Make ${name} slow`),
    worsen('accuracy', `Make ${name} wrong`),
    worsen('drift', `Let ${name}’s input drift`),
    worsen('both', 'Make both fail'),
    { ...worsen('metrics-gone', 'Cut off the metrics'), blocked: null },
    { id: 'heal', label: 'Make all well', blocked: null, group: 'heal', pressed: false },
    { id: 'speed', label: '3× faster', blocked: null, group: 'time', pressed: factor !== 1 },
  ];
}

interface Scene {
  readonly second: number;
  /** No reading came after it; the scene's own second unless given. */
  readonly measuredUntil?: number;
  readonly moment: Moment;
  readonly now: Omit<WorldSnapshot['now'], 'untilMs'> & { readonly untilSecond: number | null };
  readonly road: Milestone[];
  readonly alerts?: WorldSnapshot['alerts'];
  readonly incidents?: WorldSnapshot['incidents'];
  readonly underWay: boolean;
}

const summary = 'v42 of fraud-scorer fails 30.4 % of its requests';
const firing = [{ name: 'ModelErrorRateHigh', version: 'v42', state: 'firing', summary, sinceMs: at(56) }];
const page = (state: string) => [
  { id: 'd1', state, summary: 'fraud-scorer: v42 is worse than v41, at 70 % of the traffic' },
];
const forward = (
  first: Milestone['state'],
  second: Milestone['state'],
  third: Milestone['state'],
  note = '',
): Step[] => [
  ['forward', 10, first, first === 'done' ? 'gate passed' : note],
  ['forward', 70, second, second === 'done' ? 'gate passed' : note],
  ['forward', 100, third],
];

export const scenes = {
  serving: {
    second: 15,
    moment: 'serving',
    now: { tone: 'calm', title: 'All is well', detail: 'No rollout is under way.', until: '', untilSecond: null },
    road: [],
    underWay: false,
  },
  'first step': {
    second: 25,
    moment: 'rolling-out',
    now: {
      tone: 'moving',
      title: 'Rolling out v42',
      detail: 'v41 → v42 at 10 %: compared every second.',
      until: 'The gate is asked at',
      untilSecond: 34,
    },
    road: road(forward('present', 'next', 'next', 'soaking, the gate is asked after it'), 20, 34),
    underWay: true,
  },
  'second step': {
    second: 44,
    moment: 'rolling-out',
    now: {
      tone: 'moving',
      title: 'Rolling out v42',
      detail: 'v41 → v42 at 70 %: compared every second.',
      until: 'The gate is asked at',
      untilSecond: 60,
    },
    road: road(forward('done', 'present', 'next', 'soaking, the gate is asked after it'), 34, 60),
    underWay: true,
  },
  asked: {
    second: 65,
    moment: 'asked',
    now: {
      tone: 'alarm',
      title: 'People are asked',
      detail: 'ModelErrorRateHigh and the gate. v42 stays at 70 %.',
      until: 'Nobody answers: rolls back by itself at',
      untilSecond: 88,
    },
    road: road(forward('done', 'present', 'next', 'people are asked'), 58, 88),
    alerts: firing,
    underWay: true,
  },
  paged: {
    second: 72,
    moment: 'paged',
    now: {
      tone: 'alarm',
      title: 'People are asked',
      detail: 'ModelErrorRateHigh and the gate. v42 stays at 70 %.',
      until: 'Nobody answers: rolls back by itself at',
      untilSecond: 88,
    },
    road: road(forward('done', 'present', 'next', 'people are asked'), 58, 88),
    alerts: firing,
    incidents: page('triggered'),
    underWay: true,
  },
  unmeasured: {
    second: 80,
    measuredUntil: 74,
    moment: 'held',
    now: {
      tone: 'alarm',
      title: 'A person is needed',
      detail: 'Nothing moves by itself: there are no numbers to go by. v42 stays at 70 %.',
      until: '',
      untilSecond: null,
    },
    road: road(forward('done', 'present', 'next', 'held: a person is needed'), 58, null),
    alerts: [
      { name: 'MetricsMissing', version: null, state: 'firing', summary: 'No model can be measured', sinceMs: at(78) },
    ],
    underWay: true,
  },
  'rolling back': {
    second: 95,
    moment: 'rolling-back',
    now: {
      tone: 'moving',
      title: 'Rolling back to v41',
      detail: 'At 50 %: does v41 carry the load?',
      until: 'To 10 % from',
      untilSecond: 98,
    },
    road: road(
      [
        ...forward('done', 'done', 'skipped'),
        ['back', 50, 'present', 'v41 carries the load well'],
        ['back', 10, 'next'],
        ['back', 0, 'next'],
      ],
      92,
      98,
    ),
    alerts: firing,
    incidents: page('triggered'),
    underWay: true,
  },
  'rolled back': {
    second: 116,
    moment: 'rolled-back',
    now: {
      tone: 'good',
      title: 'Back on v41, and well',
      detail: 'Error rate 0.6 %, as before.',
      until: '',
      untilSecond: null,
    },
    road: road(
      [
        ...forward('done', 'done', 'skipped'),
        ['back', 50, 'done', 'v41 carried the load well'],
        ['back', 10, 'done'],
        ['back', 0, 'done', 'verified: v41 is well with all traffic'],
      ],
      0,
      null,
    ),
    incidents: page('resolved'),
    underWay: false,
  },
} satisfies Record<string, Scene>;

export type SceneName = keyof typeof scenes;

/** The snapshot of that scene, `sinceMs` of the demo's clock after it began. */
export function snapshotOf(name: SceneName, sinceMs: number, factor: number): WorldSnapshot {
  const scene: Scene = scenes[name];
  const percent = candidatePercent(scene.second);
  const candidate = scene.second >= shifts[0]![0] && percent > 0 ? 'v42' : null;
  const { untilSecond, ...now } = scene.now;
  const lines = [
    { atMs: at(1), kind: 'act', text: 'v41 of fraud-scorer serves all traffic. Prometheus begins to measure.' },
    {
      atMs: at(18),
      kind: 'act',
      text: 'Maya types: /rollout start fraud-scorer v42 --reason "retrained on October’s payments"',
    },
    { atMs: at(52), kind: 'act', text: 'v42 degrades: from now on 30 % of its requests fail.' },
  ];
  return {
    nowMs: at(scene.second) + sinceMs,
    speed: { factor, choices: [1, 3] },
    service: 'fraud-scorer',
    slowMs: SLOW_MS,
    split: { stable: { version: 'v41', percent: 100 - percent }, candidate: { version: candidate, percent } },
    points: pointsUntil(scene.measuredUntil ?? scene.second),
    now: { ...now, untilMs: untilSecond === null ? null : at(untilSecond) },
    moment: scene.moment,
    road: scene.road,
    alerts: scene.alerts ?? [],
    incidents: scene.incidents ?? [],
    journal: journalUntil(scene.second),
    lines: lines.filter(({ atMs }) => atMs <= at(scene.second)),
    controls: controls(candidate, scene, factor),
    sources: [
      { name: 'Prometheus', real: true, label: 'Prometheus 2.42.0', url: 'http://127.0.0.1:9090' },
      { name: 'Alertmanager', real: false, label: 'stand-in for Alertmanager', url: 'http://127.0.0.1:9093' },
    ],
  };
}

/** The same where the feed knows whose scores are wrong: 2 % of v41's, 12 % of v42's. */
export function withWrongScores(snapshot: WorldSnapshot): WorldSnapshot {
  const points = Object.entries(snapshot.points).map(([version, own]) => [
    version,
    own.map((point) => ({ ...point, wrongShare: version === 'v41' ? 0.02 : 0.12 })),
  ]);
  return { ...snapshot, points: Object.fromEntries(points) };
}

import type { Lab } from '../lab/index.ts';
import { ACCURACY_LOST, ERROR_SHARE, EXTRA_LATENCY_SECONDS, INPUT_SHIFT } from '../scenario.ts';

export interface Arms {
  readonly stable: string;
  readonly candidate: string | null;
}

/** A way in which the world can get worse: what is done to the models, and how it is told. */
export interface Fault {
  readonly name: FaultName;
  /** Of its button. */
  readonly label: (candidate: string) => string;
  /** Nothing would come of it without a candidate. */
  readonly needsCandidate: boolean;
  readonly worsen: (lab: Lab, arms: Arms) => void;
  readonly inForce: (lab: Lab, arms: Arms) => boolean;
  /** One sentence that says what happens from now on. */
  readonly told: (arms: Arms) => string;
}

export type FaultName = 'errors' | 'latency' | 'accuracy' | 'drift' | 'both' | 'metrics-gone';

const faultsOf = (lab: Lab, { candidate }: Arms) => (candidate === null ? null : lab.model(candidate).faults);
const nameOf = ({ candidate }: Arms) => candidate ?? 'the candidate';
const percentOf = (share: number) => `${Math.round(share * 100)} %`;

export const faults: Readonly<Record<FaultName, Fault>> = {
  errors: {
    name: 'errors',
    label: (candidate) => `Make ${candidate} fail`,
    needsCandidate: true,
    worsen: (lab, { candidate }) => lab.worsen('errors', ERROR_SHARE, candidate ?? undefined),
    // Where stable fails as well it is both that were made to.
    inForce: (lab, arms) => (faultsOf(lab, arms)?.errorRate ?? 0) > 0 && !faults.both.inForce(lab, arms),
    told: (arms) => `${nameOf(arms)} degrades: from now on ${percentOf(ERROR_SHARE)} of its requests fail.`,
  },
  latency: {
    name: 'latency',
    label: (candidate) => `Make ${candidate} slow`,
    needsCandidate: true,
    worsen: (lab, { candidate }) => lab.worsen('latency', EXTRA_LATENCY_SECONDS, candidate ?? undefined),
    inForce: (lab, arms) => (faultsOf(lab, arms)?.extraLatencyMs ?? 0) > 0,
    told: (arms) =>
      `${nameOf(arms)} gets slow: from now on every answer takes ${EXTRA_LATENCY_SECONDS * 1000} ms more.`,
  },
  accuracy: {
    name: 'accuracy',
    label: (candidate) => `Make ${candidate} wrong`,
    needsCandidate: true,
    worsen: (lab, { candidate }) => lab.worsen('accuracy', ACCURACY_LOST, candidate ?? undefined),
    inForce: (lab, arms) => (faultsOf(lab, arms)?.accuracyDrop ?? 0) > 0,
    told: (arms) =>
      `${nameOf(arms)} gets it wrong: from now on ${percentOf(ACCURACY_LOST)} more of its scores are on the wrong side. It answers as fast and as surely as before.`,
  },
  drift: {
    name: 'drift',
    label: (candidate) => `Let ${candidate}’s input drift`,
    needsCandidate: true,
    worsen: (lab, { candidate }) => lab.worsen('drift', INPUT_SHIFT, candidate ?? undefined),
    inForce: (lab, arms) => (faultsOf(lab, arms)?.inputShift ?? 0) > 0,
    told: (arms) =>
      `The input of ${nameOf(arms)} drifts: the amounts it is given are ${percentOf(INPUT_SHIFT)} smaller from now on. Its scores are as right as before.`,
  },
  both: {
    name: 'both',
    label: () => 'Make both fail',
    needsCandidate: true,
    worsen: (lab, { stable, candidate }) => {
      for (const version of [stable, candidate ?? stable]) lab.worsen('errors', ERROR_SHARE, version);
    },
    inForce: (lab, arms) => (faultsOf(lab, arms)?.errorRate ?? 0) > 0 && lab.model(arms.stable).faults.errorRate > 0,
    told: (arms) =>
      `What both depend on breaks: from now on ${percentOf(ERROR_SHARE)} of the requests fail, to ${arms.stable} and to ${nameOf(arms)} alike.`,
  },
  'metrics-gone': {
    name: 'metrics-gone',
    label: () => 'Cut off the metrics',
    needsCandidate: false,
    worsen: (lab) => lab.showMetrics(false),
    inForce: (lab, { stable }) => !lab.model(stable).metricsShown,
    told: () => 'Every page of metrics answers 503 from now on. The models go on serving; nobody can say how well.',
  },
};

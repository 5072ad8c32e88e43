import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Split } from '../../src/domain/state.ts';
import { PortError } from '../../src/ports/failure.ts';
import type { Target } from '../../src/ports/target.ts';
import type { TargetKind } from '../../src/targets/define.ts';

/** How the world behaves towards the target's next calls, until told otherwise. */
export type Trouble = 'unauthorized' | 'unavailable' | 'lost-reply' | 'hang';

/** A target and the world it steers. Every kind of target brings one; versions v41 (stable, all traffic) and v42 are deployed and ready. */
export interface TargetStand {
  readonly kind: TargetKind;
  /** Valid, with `canary` in every secret of it. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly target: Target;
  /** What is really in force, not through the target. */
  split(): Split | Promise<Split>;
  /** Goes up with every change. */
  changes(): number;
  trouble(kind: Trouble | null): void | Promise<void>;
  /** Resolves when the world knows it. */
  setReady(version: string, ready: boolean): void | Promise<void>;
  /** Somebody else changes the split; null: this kind has no compare-and-set. */
  meddle: (() => Promise<void>) | null;
  stop(): Promise<void>;
}

const signal = new AbortController().signal;

/** What every target keeps to, whatever it moves traffic with. */
export function targetContract(name: string, setup: () => Promise<TargetStand>): void {
  describe(`target contract: ${name}`, () => {
    let stand: TargetStand;
    beforeEach(async () => {
      stand = await setup();
    });
    afterEach(() => stand.stop());

    const at = (exposurePercent: number): Split => ({ stable: 'v41', candidate: 'v42', exposurePercent });
    const shift = async (split: Split) =>
      stand.target.shift(split, (await stand.target.observe(signal)).revision, signal);
    const middle = () => (stand.kind.steps === 'switch' ? [0, 100] : [10, 33.3, 100, 50, 0]);

    async function failure(call: Promise<unknown>): Promise<PortError> {
      const error = await call.then(
        () => new Error('it did not fail'),
        (reason: unknown) => reason,
      );
      if (!(error instanceof PortError)) throw error;
      expect(`${error.message} ${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`).not.toContain('canary');
      expect(error.message.length).toBeGreaterThan(20);
      return error;
    }

    test('the stand begins with all traffic on v41, both ready', async () => {
      const observed = await stand.target.observe(signal);
      expect(observed).toMatchObject({ stable: 'v41', exposurePercent: 0 });
      expect(observed.ready.v41).toMatchObject({ ready: true });
      expect(stand.target).toMatchObject({ kind: stand.kind.kind, steps: stand.kind.steps });
      expect(stand.target.landingMs).toBeGreaterThan(0);
    });

    test('weights are absolute, in any order, and observe agrees with the world', async () => {
      for (const exposurePercent of middle()) {
        await shift(at(exposurePercent));
        expect(await stand.split()).toEqual(at(exposurePercent));
        // A router without roles of its own answers in those of the question.
        const observed = await stand.target.observe(signal, ['v41', 'v42']);
        expect(observed).toMatchObject({ stable: 'v41', candidate: 'v42', exposurePercent });
      }
    });

    test('the same shift twice is the same as once', async () => {
      const exposurePercent = middle().at(-2) ?? 0;
      const before = stand.changes();
      await shift(at(exposurePercent));
      const once = stand.changes();
      expect(once).toBeGreaterThan(before);
      await shift(at(exposurePercent));
      expect(await stand.split()).toEqual(at(exposurePercent));
      expect(stand.changes()).toBe(once);
    });

    test('readiness is told of the split and of any version asked, and an unknown one is not ready', async () => {
      await stand.setReady('v42', false);
      const observed = await stand.target.observe(signal, ['v42', 'v99']);
      expect(observed.ready.v41?.ready).toBe(true);
      expect(observed.ready.v42?.ready).toBe(false);
      expect(observed.ready.v42?.detail).not.toBe('');
      expect(observed.ready.v99?.ready ?? false).toBe(false);
      await stand.setReady('v42', true);
      expect((await stand.target.observe(signal, ['v42'])).ready.v42?.ready).toBe(true);
    });

    test.each([
      ['unauthorized', 'permanent', 'permanent'],
      ['unavailable', 'retryable', 'retryable'],
      ['lost-reply', 'retryable', 'ambiguous'],
      ['hang', 'retryable', 'ambiguous'],
    ] as const)('%s: observing is %s, shifting is %s', async (trouble, observing, shifting) => {
      const { revision } = await stand.target.observe(signal);
      await stand.trouble(trouble);
      const begin = performance.now();
      expect((await failure(stand.target.observe(signal))).failure).toBe(observing);
      expect((await failure(stand.target.shift(at(100), revision, signal))).failure).toBe(shifting);
      expect(performance.now() - begin).toBeLessThan(5_000);
      await stand.trouble(null);
      // What the failure says about the world holds: only an ambiguous one may have changed it.
      if (shifting !== 'ambiguous') expect(await stand.split()).toMatchObject({ exposurePercent: 0 });
      await shift(at(100));
      expect(await stand.split()).toEqual(at(100));
    });

    test('a lost reply: observing tells that it was applied', async () => {
      const { revision } = await stand.target.observe(signal);
      await stand.trouble('lost-reply');
      await failure(stand.target.shift(at(100), revision, signal));
      await stand.trouble(null);
      expect((await stand.target.observe(signal, ['v41', 'v42'])).exposurePercent).toBe(100);
    });

    test('calls end when they are no longer wanted', async () => {
      await stand.trouble('hang');
      const giveUp = new AbortController();
      const observing = failure(stand.target.observe(giveUp.signal));
      giveUp.abort();
      expect((await observing).message).toContain('no longer wanted');
    });

    test('what somebody else changed meanwhile is not overwritten, and is to be observed again', async () => {
      if (!stand.meddle) return;
      const { revision } = await stand.target.observe(signal);
      await stand.meddle();
      const theirs = await stand.split();
      const error = await failure(stand.target.shift(at(100), revision, signal));
      expect(error.failure).toBe('retryable');
      expect(await stand.split()).toEqual(theirs);
      await shift(at(100));
      expect(await stand.split()).toEqual(at(100));
    });

    test('its own configuration is valid, and stays what it is when it is checked again', () => {
      const checked = stand.kind.config.parse(stand.config);
      expect(stand.kind.config.parse(checked)).toEqual(checked);
    });

    test('unknown configuration keys are refused at every level, by name', () => {
      const sections = Object.entries(stand.config).filter(
        ([, value]) => typeof value === 'object' && value !== null && !Array.isArray(value),
      );
      const misspelt = [
        { ...stand.config, wieghts: 1 },
        ...sections.map(([key, value]) => ({ ...stand.config, [key]: { ...(value as object), wieghts: 1 } })),
      ];
      for (const config of misspelt) {
        const result = stand.kind.config.safeParse(config);
        expect(result.success).toBe(false);
        expect(JSON.stringify(result.error?.issues)).toContain('wieghts');
        expect(JSON.stringify(result.error?.issues)).not.toContain('canary');
      }
    });
  });
}

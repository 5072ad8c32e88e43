import type { LoopbackServer } from '../loopback.ts';
import type { DemoClock } from './demo-clock.ts';
import { type Forwarded, type Origin, passOn, startForwarder } from './forward.ts';
import { answerInDemoTime, requestInWallTime } from './moments.ts';

/** Alertmanager gives a delivery ten seconds. */
const WEBHOOK_WITHIN_MS = 10_000;
const API_WITHIN_MS = 5_000;

/**
 * What Alertmanager posts is handed on to Lastgood, with the moments of its alerts in the demo's time. Before Lastgood runs it is a
 * 502, and Alertmanager tries again.
 */
export function startWebhookInDemoTime(origin: Origin, clock: DemoClock): Promise<LoopbackServer> {
  return startForwarder((request) =>
    passOn(origin, { ...request, body: answerInDemoTime(request.body, clock) }, AbortSignal.timeout(WEBHOOK_WITHIN_MS)),
  );
}

/** Alertmanager's API as Lastgood sees it: what it asks for is said in the wall's time, what it is told in the demo's. */
export function startAlertmanagerInDemoTime(origin: Origin, clock: DemoClock): Promise<LoopbackServer> {
  return startForwarder(async (request: Forwarded) => {
    const sent = { ...request, body: requestInWallTime(request.body, clock) };
    const answer = await passOn(origin, sent, AbortSignal.timeout(API_WITHIN_MS));
    return { ...answer, body: answerInDemoTime(answer.body, clock), dateMs: clock.now() };
  });
}

import type { State } from './state.ts';

/** Looks at every change, and now and then in between, until there is something; says what there was if it never comes. */
export function waitFor<T>(state: State, predicate: () => T | undefined | null | false, timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const finish = (act: () => void): void => {
      clearTimeout(timer);
      clearInterval(again);
      stop();
      act();
    };
    const look = (): boolean => {
      try {
        const value = predicate();
        if (value === undefined || value === null || value === false) return false;
        finish(() => resolve(value));
      } catch (error) {
        finish(() => reject(error));
      }
      return true;
    };
    const timer = setTimeout(() => {
      finish(() => reject(new Error(`Nothing came within ${timeoutMs} ms. The workspace has:\n${summary(state)}`)));
    }, timeoutMs);
    // Also what the workspace does not see: the predicate may look elsewhere.
    const again = setInterval(look, 25);
    // After the change is complete: listeners are called in the middle of it.
    const stop = state.listen(() => setImmediate(look));
    look();
  });
}

function summary(state: State): string {
  const lines: string[] = [];
  for (const [channel, messages] of state.messages) {
    for (const message of messages) {
      const depth = message.thread_ts !== undefined && message.thread_ts !== message.ts ? '  ↳ ' : '';
      lines.push(`${depth}${channel} ${message.ts} ${message.user}: ${message.text.slice(0, 120)}`);
    }
  }
  for (const one of state.ephemerals) lines.push(`only ${one.user}: ${one.text.slice(0, 120)}`);
  for (const view of state.views.values()) lines.push(`modal of ${view.user}: ${view.title}`);
  for (const call of state.calls.filter((one) => !one.ok).slice(-5)) {
    lines.push(`call ${call.method}: ${call.status} ${call.error ?? ''}`);
  }
  return lines.slice(-40).join('\n') || 'nothing';
}

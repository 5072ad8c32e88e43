/**
 * Loaded before the app (`node --import`): this machine's clock is off by CLOCK_AHEAD_MS. What counts on evenly (`performance`,
 * timers) is as it is, as where a real clock is wrong.
 */
const aheadMs = Number(process.env.CLOCK_AHEAD_MS);
const Real = Date;
const now = () => Real.now() + aheadMs;
globalThis.Date = class extends Real {
  constructor(...args) {
    if (args.length === 0) super(now());
    else super(...args);
  }
  static now() {
    return now();
  }
};

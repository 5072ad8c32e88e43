export { createPagerDuty, type PagerDutyOptions } from './pagerduty.ts';

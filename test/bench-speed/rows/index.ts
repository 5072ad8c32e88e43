import type { Row } from '../row.ts';
import { acksRow } from './acks.ts';
import { alertmanagerRow } from './alertmanager.ts';
import { rateRow } from './rate.ts';
import { rolloutsRow } from './rollouts.ts';
import { startRow } from './start.ts';
import { stormRow } from './storm.ts';
import { webhookRow } from './webhook.ts';

/** Every row, in the order of the table. */
export const rows: readonly Row[] = [webhookRow, rateRow, acksRow, alertmanagerRow, stormRow, rolloutsRow, startRow];

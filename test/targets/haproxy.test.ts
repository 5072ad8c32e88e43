import { afterAll, describe } from 'vitest';
import { createHttp } from '../../src/outbound/http.ts';
import { targetContract } from '../contracts/target.contract.ts';
import { haproxyPath, haproxySkipped } from '../support/haproxy.ts';
import { haproxyStand } from './haproxy-stand.ts';

const http = createHttp();
afterAll(() => http.close());

describe.skipIf(haproxyPath === null)(`a real HAProxy${haproxySkipped}`, () => {
  targetContract('haproxy', () => haproxyStand(http));
});

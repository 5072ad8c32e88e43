import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const script = fileURLToPath(new URL('../../.ci/count.js', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'lastgood-count-'));
afterAll(() => rmSync(directory, { recursive: true }));

interface File {
  status: string;
  assertionResults: { status: string; fullName: string }[];
}

function count(files: File[] | null, testStatus = '0', installFailed = '0') {
  const path = join(directory, 'report.json');
  writeFileSync(path, files === null ? '' : JSON.stringify({ testResults: files }));
  const { status, stdout } = spawnSync(process.execPath, [script, path, testStatus, installFailed], {
    encoding: 'utf8',
  });
  const lines = stdout.trimEnd().split('\n');
  return { status, last: lines.at(-1), before: lines.slice(0, -1).join('\n') };
}

const passed = { status: 'passed', fullName: 'a' };
const failed = { status: 'failed', fullName: 'b' };

describe('the last line of CI', () => {
  it('counts what passed', () => {
    expect(count([{ status: 'passed', assertionResults: [passed, passed] }])).toEqual({
      status: 0,
      last: '2 passed, 0 failed',
      before: '',
    });
  });

  it('counts what failed, and a file that could not be loaded as one', () => {
    const files = [
      { status: 'failed', assertionResults: [passed, failed, failed] },
      { status: 'failed', assertionResults: [] },
    ];
    expect(count(files, '1')).toMatchObject({ status: 1, last: '1 passed, 3 failed' });
  });

  it('counts a failed check, a failed installation and a failure outside every test', () => {
    expect(count(null, '1')).toMatchObject({
      status: 1,
      last: '0 passed, 1 failed',
      before: expect.stringContaining('check'),
    });
    expect(count(null, '1', '1')).toMatchObject({
      status: 1,
      last: '0 passed, 1 failed',
      before: expect.stringContaining('npm ci'),
    });
    const fine = [{ status: 'passed', assertionResults: [passed] }];
    expect(count(fine, '1')).toMatchObject({ status: 1, last: '1 passed, 1 failed' });
  });

  it('says what was left out: for want of ../shared that is all right, for want of a program it is not', () => {
    const contracts = { status: 'skipped', fullName: 'recorded bodies (skipped: ../shared is missing) are read' };
    const browser = { status: 'pending', fullName: 'the page (skipped: no Chromium)' };
    expect(count([{ status: 'passed', assertionResults: [passed, contracts] }])).toMatchObject({
      status: 0,
      last: '1 passed, 0 failed, 1 skipped',
      before: expect.stringContaining('../shared'),
    });
    expect(count([{ status: 'passed', assertionResults: [passed, contracts, browser] }])).toMatchObject({
      status: 1,
      last: '1 passed, 0 failed, 2 skipped',
      before: expect.stringContaining('no Chromium'),
    });
  });
});

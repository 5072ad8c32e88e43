import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const launcher = fileURLToPath(new URL('../../bin/lastgood.js', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'lastgood-launcher-'));
afterAll(() => rmSync(directory, { recursive: true }));

function run(node: string, args: string[]) {
  const { status, stdout, stderr } = spawnSync(node, args, { encoding: 'utf8', timeout: 15_000 });
  return { status, stdout, stderr };
}

/** Another Node than the one that runs the tests, where the machine has one; its major version, or null. */
function machinesNode(): { path: string; major: number } | null {
  const path = '/usr/bin/node';
  if (!existsSync(path)) return null;
  const found = run(path, ['--version']).stdout.trim();
  return { path, major: Number(/^v(\d+)/.exec(found)?.[1]) };
}
const other = machinesNode();

describe('bin/lastgood.js', () => {
  it('refuses a Node older than 24 in one line that says what to do', () => {
    const pretend = join(directory, 'old.mjs');
    writeFileSync(
      pretend,
      "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '22.9.1' } });",
    );
    const { status, stdout, stderr } = run(process.execPath, ['--import', pretend, launcher, 'version']);
    expect(status).toBe(1);
    expect(stdout).toBe('');
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(/^lastgood needs Node 24 or newer, and this is Node 22\.9\.1 .*Install it from .*npm ci/);
  });

  // Registered only where there is an old Node to try it on; what it shows is shown above too, on a pretended one.
  if (other && other.major < 24) {
    it(`is understood and refused by a real Node ${other.major}`, () => {
      const { status, stderr } = run(other.path, [launcher, 'serve']);
      expect(status).toBe(1);
      expect(stderr).toContain('lastgood needs Node 24 or newer');
      expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    });
  }

  function installation(name: string): string {
    const home = join(directory, name);
    mkdirSync(join(home, 'bin'), { recursive: true });
    cpSync(launcher, join(home, 'bin/lastgood.js'));
    writeFileSync(join(home, 'package.json'), '{"type":"module"}');
    return home;
  }

  it('takes dist/ where there is no src/, as in the published package', () => {
    const home = installation('node_modules/lastgood');
    mkdirSync(join(home, 'dist'));
    writeFileSync(join(home, 'dist/main.js'), "process.stdout.write('from dist');");
    expect(run(process.execPath, [join(home, 'bin/lastgood.js')])).toEqual({
      status: 0,
      stdout: 'from dist',
      stderr: '',
    });
  });

  it('says that it is not whole where both are missing', () => {
    const { status, stderr } = run(process.execPath, [join(installation('empty'), 'bin/lastgood.js')]);
    expect([status, stderr]).toEqual([1, expect.stringContaining('Install it again')]);
  });

  it('shows what is wrong inside src/ instead of looking elsewhere for it', () => {
    const home = installation('broken');
    mkdirSync(join(home, 'src'));
    writeFileSync(join(home, 'src/main.ts'), "import './gone.ts';");
    const { status, stderr } = run(process.execPath, [join(home, 'bin/lastgood.js')]);
    expect([status, stderr]).toEqual([1, expect.stringContaining('gone.ts')]);
  });
});

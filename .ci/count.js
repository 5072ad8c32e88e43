// Counts a run from vitest's JSON report and says it on the last line; the exit code is 0 only where nothing failed and
// nothing was left out that this machine was prepared for.
// Arguments: the report's path, the exit code of `npm test`, 1 where `npm ci` failed.
import { readFileSync } from 'node:fs';

const [reportPath, testStatus, installFailed] = process.argv.slice(2);
/** Suites that hold us against files outside this repository say so in their name; a clone alone has not got them. */
const outside = '../shared is missing';

function readReport() {
  const text = readFileSync(reportPath, 'utf8');
  return text === '' ? null : JSON.parse(text);
}

const say = (line) => process.stdout.write(`${line}\n`);
const report = readReport();
let passed = 0;
let failed = 0;
const skipped = [];
for (const file of report?.testResults ?? []) {
  let failedHere = 0;
  for (const test of file.assertionResults) {
    if (test.status === 'passed') passed += 1;
    else if (test.status === 'failed') failedHere += 1;
    else skipped.push(test.fullName);
  }
  // A file that could not be loaded, or broke outside its tests, has no failed test to show for it.
  if (file.status === 'failed' && failedHere === 0) failedHere = 1;
  failed += failedHere;
}
if (installFailed !== '0') say('npm ci failed: nothing was tested.');
else if (report === null) say('The check (`npm run check`) failed: no test was run.');
else if (testStatus !== '0' && failed === 0) say('npm test failed although no test did; see above.');
if (testStatus !== '0' && failed === 0) failed = 1;

const leftOut = skipped.filter((name) => !name.includes(outside));
if (skipped.length > leftOut.length)
  say(`Left out because ../shared is not beside this clone: ${skipped.length - leftOut.length} tests.`);
for (const name of leftOut) say(`Left out, which counts as not passed: ${name}`);
say(`${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`);
process.exitCode = failed > 0 || leftOut.length > 0 ? 1 : 0;

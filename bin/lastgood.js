#!/usr/bin/env node
// Old syntax on purpose: an old Node must get as far as the line that says what to do.
import * as nodeModule from 'node:module';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';

var neededMajor = 24;
var found = process.versions.node;

function isMissing(error, path) {
  return error.code === 'ERR_MODULE_NOT_FOUND' && String(error.url).slice(-path.length) === path;
}

function fail(problem) {
  process.stderr.write(`${problem}\n`);
  process.exit(1);
}

if (parseInt(found.split('.')[0], 10) < neededMajor) {
  fail(
    `lastgood needs Node ${neededMajor} or newer, and this is Node ${found} (${process.execPath}). Install it from https://nodejs.org, or run \`npm ci\` in a clone of the project and start it with \`npm start\`.`,
  );
} else {
  // What the sources came to, without their types, is kept for the next start, which takes two thirds of the time and 20 MB less. Beside
  // the code, so that nobody can write it who could not write the code as well; where the folder is read-only nothing is kept.
  nodeModule.enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/lastgood', import.meta.url)));
  // Loading makes much and keeps little: V8 would take 20 MB more for it and not give them back. main.ts ends this.
  setFlagsFromString('--semi-space-growth-factor=1');
  // A clone has src/ and runs it directly; the published package has dist/ only, because Node strips no types under node_modules.
  import('../src/main.ts')
    .catch((error) => {
      if (isMissing(error, '/src/main.ts')) return import('../dist/main.js');
      throw error;
    })
    .catch((error) => {
      if (isMissing(error, '/dist/main.js')) {
        fail('lastgood is not whole: neither src/main.ts nor dist/main.js is there. Install it again.');
      }
      fail(error.stack || error);
    });
}

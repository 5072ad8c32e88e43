import { existsSync, readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { SUBCOMMANDS } from '../../src/slack/commands/index.ts';

const manifest = parse(readFileSync(new URL('../../manifest.yml', import.meta.url), 'utf8'));
const schemas = new URL('../../../shared/contracts/slack/app-manifest/', import.meta.url);
const exists = existsSync(schemas);
const json = (path: string) => JSON.parse(readFileSync(new URL(path, schemas), 'utf8'));

function validator(version: '1.0.0' | '2.0.0') {
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  return { ajv, validate: ajv.compile(json(`manifest.schema.${version}.json`)) };
}

describe.skipIf(!exists)(`Slack's schema of manifests${exists ? '' : ' (skipped: ../shared is missing)'}`, () => {
  it('takes ours', () => {
    const { ajv, validate } = validator('2.0.0');
    expect(validate(manifest) || ajv.errorsText(validate.errors)).toBe(true);
  });

  it('is one that refuses what is wrong', () => {
    const { validate } = validator('2.0.0');
    expect(validate(json('tests/v2.manifest.valid.json'))).toBe(true);
    expect(validate(json('tests/v2.manifest.invalid.json'))).toBe(false);
    expect(validate({ ...manifest, display_information: { name: 'x'.repeat(36) } })).toBe(false);
  });
});

describe('the manifest', () => {
  it('asks for no more than is used', () => {
    expect(manifest.oauth_config.scopes.bot).toEqual([
      'chat:write',
      'commands',
      'channels:history',
      'groups:history',
      'channels:read',
      'groups:read',
    ]);
  });

  it('sends everything to the one address', () => {
    const { settings, features } = manifest;
    const addresses = [
      settings.event_subscriptions.request_url,
      settings.interactivity.request_url,
      features.slash_commands[0].url,
    ];
    expect(new Set(addresses)).toEqual(new Set(['https://lastgood.example.com/slack/events']));
    expect(settings.socket_mode_enabled).toBe(false);
    expect(settings.interactivity.is_enabled).toBe(true);
  });

  it('is within the limits of what Slack shows', () => {
    expect(manifest.display_information.name.length).toBeLessThanOrEqual(35);
    expect(manifest.display_information.description.length).toBeLessThanOrEqual(140);
    const [command] = manifest.features.slash_commands;
    expect(command.command.length).toBeLessThanOrEqual(32);
    expect(command.usage_hint.length).toBeLessThanOrEqual(1000);
  });

  it('names every subcommand in the hint', () => {
    expect(manifest.features.slash_commands[0].usage_hint.split('|')).toEqual(SUBCOMMANDS.map((one) => one.name));
  });
});

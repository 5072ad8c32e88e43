import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { z } from 'zod';

/** Everything an instance is told from outside, checked. Made by `loadConfig`; tests and the demo write it out by hand. */
export interface Config {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Where people reach this instance, for links; null: no links. */
  readonly publicUrl: string | null;
  readonly dataDir: string;
  /** The PostgreSQL that all replicas share; null or absent: a file in `dataDir`, for one process. */
  readonly databaseUrl?: string | null;
  readonly policyDir: string;
  readonly logLevel: LogLevel;
  readonly slack: { readonly botToken: string; readonly signingSecret: string; readonly apiUrl: string };
  readonly alertmanager: {
    /** Any one of them lets a sender in: two while one is being replaced. */
    readonly webhookTokens: readonly string[];
    readonly url: string | null;
  };
  readonly prometheusUrl: string | null;
  /** Slack channel that is told of alerts no policy matches; null: none is. */
  readonly defaultChannel: string | null;
  /** Where operators are told of the instance's own troubles: `#name` or an id; null: only in log, metrics and App Home. */
  readonly operationsChannel: string | null;
  readonly pagerduty: {
    readonly routingKey: string | null;
    /** `host` or `host:port`; null: PagerDuty's own. */
    readonly eventsHost: string | null;
  };
  /** `LASTGOOD_SECRET_*` by full name: what policies may refer to. */
  readonly policySecrets: Readonly<Record<string, string>>;
  /** How long the journal is kept; null or absent: for ever. */
  readonly journalRetentionDays?: number | null;
  /** Whether policies may name addresses of private networks: all of them (also where absent), none, or these (CIDR). */
  readonly privateAddresses?: 'allow' | 'refuse' | readonly string[];
}

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export type Environment = Readonly<Record<string, string | undefined>>;

/** All that is wrong with the environment, one line a problem, each with what to do. Never holds a value that is secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The configuration has ${problems.length} problem(s):\n${problems.map((p) => `  - ${p}`).join('\n')}`);
    this.problems = problems;
  }
}

/** Alertmanager's token is the only thing between the internet and our alerts: shorter ones can be guessed. */
const minimumTokenLength = 16;
/** What is read back when a rollout or a degradation ends, and what people ask after: shorter would be no journal. */
const shortestRetentionDays = 30;
const policySecretPrefix = 'LASTGOOD_SECRET_';

/** Variables that hold secrets: each may be given as NAME, or as NAME_FILE with the path of a file that holds it. */
const secretVariables = [
  'SLACK_BOT_TOKEN',
  'SLACK_SIGNING_SECRET',
  'ALERTMANAGER_WEBHOOK_TOKEN',
  'PAGERDUTY_ROUTING_KEY',
  'DATABASE_URL',
] as const;

/** Every variable with what it is for; the order is the one of problems and of `lastgood help`. */
export const variables: readonly { readonly name: string; readonly need: string; readonly meaning: string }[] = [
  { name: 'SLACK_BOT_TOKEN', need: 'required', meaning: 'bot token of the Slack app, xoxb-…' },
  { name: 'SLACK_SIGNING_SECRET', need: 'required', meaning: 'signing secret of the Slack app' },
  {
    name: 'ALERTMANAGER_WEBHOOK_TOKEN',
    need: 'required',
    meaning: `bearer token Alertmanager sends, at least ${minimumTokenLength} characters, or sha256:HASH of it; several with commas between them`,
  },
  { name: 'PROMETHEUS_URL', need: 'for policies without their own', meaning: 'where metrics are read' },
  {
    name: 'ALERTMANAGER_URL',
    need: 'optional',
    meaning: 'Alertmanager itself: asked for what its webhook missed, and silenced where a policy says so',
  },
  { name: 'DEFAULT_CHANNEL', need: 'optional', meaning: 'Slack channel that is told of alerts no policy matches' },
  {
    name: 'PAGERDUTY_ROUTING_KEY',
    need: 'for policies that escalate without their own',
    meaning: 'Events API v2 integration key',
  },
  {
    name: 'PAGERDUTY_EVENTS_HOST',
    need: 'optional',
    meaning: 'host[:port] of the Events API, events.eu.pagerduty.com for the EU',
  },
  {
    name: 'OPERATIONS_CHANNEL',
    need: 'optional',
    meaning: "Slack channel that is told of Lastgood's own troubles, #name or id",
  },
  { name: 'POLICY_DIR', need: './policies', meaning: 'directory of policy files' },
  { name: 'DATA_DIR', need: './data', meaning: 'directory of the database, where there is no DATABASE_URL' },
  {
    name: 'DATABASE_URL',
    need: 'for several replicas',
    meaning: 'PostgreSQL: postgres://user:password@host:5432/database?sslmode=verify-full',
  },
  { name: 'HOST', need: '0.0.0.0', meaning: 'address to listen on' },
  { name: 'PORT', need: '3000', meaning: 'port to listen on, 0 for any free one' },
  { name: 'PUBLIC_URL', need: 'optional', meaning: 'where people reach this instance' },
  { name: 'SLACK_API_URL', need: 'https://slack.com/api/', meaning: 'another Slack API, for tests' },
  {
    name: 'JOURNAL_RETENTION_DAYS',
    need: 'for ever',
    meaning: `days after which journal entries are let go, at least ${shortestRetentionDays}`,
  },
  {
    name: 'OUTGOING_PRIVATE_ADDRESSES',
    need: 'allow',
    meaning:
      'whether policies may name private addresses: allow, refuse, or the networks allowed (10.1.0.0/16,127.0.0.1)',
  },
  { name: 'LOG_LEVEL', need: 'info', meaning: logLevels.join(', ') },
];

const httpUrl = (what: string) =>
  z.string().refine(isHttpUrl, `must be an http:// or https:// URL of ${what}, without a user name or password in it`);

const environmentSchema = z.object({
  SLACK_BOT_TOKEN: z
    .string({
      error: 'is missing: set it to the bot token of your Slack app (OAuth & Permissions → Bot User OAuth Token)',
    })
    .regex(/^xoxb-/, 'is not a bot token: it must begin with xoxb- (OAuth & Permissions → Bot User OAuth Token)'),
  SLACK_SIGNING_SECRET: z
    .string({
      error: 'is missing: set it to the signing secret of your Slack app (Basic Information → App Credentials)',
    })
    .min(8, 'is too short to be a signing secret (Basic Information → App Credentials)'),
  ALERTMANAGER_WEBHOOK_TOKEN: z
    .string({
      error:
        'is missing: make one with `openssl rand -hex 32` and put the same into Alertmanager (http_config.authorization.credentials)',
    })
    .transform((value) => value.split(',').map((token) => token.trim()))
    .refine(
      (tokens) => tokens.every((token) => token.length >= minimumTokenLength),
      `has a token shorter than ${minimumTokenLength} characters: make one with \`openssl rand -hex 32\``,
    )
    .refine(
      (tokens) => tokens.every((token) => /^[\x21-\x7e]*$/.test(token)),
      'has a token with a space or a character that no HTTP header can carry',
    ),
  PROMETHEUS_URL: httpUrl('Prometheus').optional(),
  ALERTMANAGER_URL: httpUrl('Alertmanager').optional(),
  DEFAULT_CHANNEL: z
    .string()
    .regex(/^(#[^\s#]{1,80}|[CG][A-Z0-9]{2,})$/, 'must be a Slack channel: #name or its id, such as C024BE91L')
    .optional(),
  PAGERDUTY_ROUTING_KEY: z
    .string()
    .regex(
      /^[0-9A-Za-z]{32}$/,
      'is not an Events API v2 integration key: 32 letters and digits (Service → Integrations)',
    )
    .optional(),
  PAGERDUTY_EVENTS_HOST: z
    .string()
    .regex(
      /^([A-Za-z0-9.-]+|http:\/\/(127\.0\.0\.1|localhost))(:\d{1,5})?$/,
      'must be host or host:port, without https:// and without a path (http:// is taken on loopback only)',
    )
    .optional(),
  OPERATIONS_CHANNEL: z
    .string()
    .regex(/^(#[^\s#@]{1,80}|[CG][A-Z0-9]{2,})$/, 'must be a Slack channel: its name with # before it, or its id (C…)')
    .optional(),
  POLICY_DIR: z.string().default('./policies'),
  DATA_DIR: z.string().default('./data'),
  DATABASE_URL: z
    .string()
    .refine(
      (value) => /^postgres(ql)?:$/.test(URL.parse(value)?.protocol ?? ''),
      'must be a URL of PostgreSQL: postgres://user:password@host:5432/database?sslmode=verify-full',
    )
    .optional(),
  HOST: z.string().default('0.0.0.0'),
  PORT: z
    .string()
    .default('3000')
    .refine(
      (value) => /^\d{1,5}$/.test(value) && Number(value) <= 65_535,
      'must be a port number from 0 to 65535 (0: any free one)',
    )
    .transform(Number),
  PUBLIC_URL: httpUrl('this instance').optional(),
  SLACK_API_URL: httpUrl('a Slack API')
    .default('https://slack.com/api/')
    .transform((url) => (url.endsWith('/') ? url : `${url}/`)),
  JOURNAL_RETENTION_DAYS: z
    .string()
    .refine(
      (value) => /^\d{1,5}$/.test(value) && Number(value) >= shortestRetentionDays,
      `must be a whole number of days, at least ${shortestRetentionDays}; leave it out to keep the journal for ever`,
    )
    .transform(Number)
    .optional(),
  OUTGOING_PRIVATE_ADDRESSES: z
    .string()
    .default('allow')
    .transform((value) => (value === 'allow' || value === 'refuse' ? value : value.split(',').map((one) => one.trim())))
    .refine(
      (value) => typeof value === 'string' || value.every(isNetwork),
      'must be allow, refuse, or the networks that are allowed, such as 10.1.0.0/16,127.0.0.1',
    ),
  LOG_LEVEL: z.enum(logLevels, { error: `must be one of ${logLevels.join(', ')}` }).default('info'),
});

/**
 * Reads the environment. An empty value counts as not set.
 * @throws {ConfigError} with every problem at once.
 */
export function loadConfig(environment: Environment, readFile: (path: string) => string = readUtf8): Config {
  const { values, policySecrets } = read(environmentSchema, environment, readFile);
  return toConfig(values, policySecrets);
}

/** What a command needs that talks to a running instance instead of being one. */
export interface ClientConfig {
  readonly port: number;
  readonly policyDir: string;
  readonly webhookTokens: readonly string[];
  readonly policySecrets: Readonly<Record<string, string>>;
}

/** @throws {ConfigError} with every problem at once. */
export function loadClientConfig(environment: Environment): ClientConfig {
  const schema = environmentSchema.pick({ ALERTMANAGER_WEBHOOK_TOKEN: true, POLICY_DIR: true, PORT: true });
  const { values, policySecrets } = read(schema, environment, readUtf8);
  const { PORT: port, POLICY_DIR: policyDir, ALERTMANAGER_WEBHOOK_TOKEN: webhookTokens } = values;
  // A hash lets in who has the token; it is not one.
  const tokens = webhookTokens.filter((token) => !token.startsWith('sha256:'));
  if (tokens.length === 0) {
    throw new ConfigError(['ALERTMANAGER_WEBHOOK_TOKEN holds hashes only: give this command a token itself']);
  }
  return { port, policyDir, webhookTokens: tokens, policySecrets };
}

/** Where the database is, for commands that look after it. */
export function loadStorePlace(environment: Environment): {
  readonly dataDir: string;
  readonly databaseUrl: string | null;
} {
  const { values } = read(environmentSchema.pick({ DATA_DIR: true, DATABASE_URL: true }), environment, readUtf8);
  return { dataDir: values.DATA_DIR, databaseUrl: values.DATABASE_URL ?? null };
}

/**
 * `LASTGOOD_SECRET_*` by full name, and nothing else of the environment.
 * @throws {ConfigError} where a file of one cannot be read.
 */
export function loadPolicySecrets(environment: Environment): Readonly<Record<string, string>> {
  return read(z.object({}), environment, readUtf8).policySecrets;
}

function read<S extends z.ZodObject>(
  schema: S,
  environment: Environment,
  readFile: (path: string) => string,
): { values: z.infer<S>; policySecrets: Record<string, string> } {
  const problems: string[] = [];
  const asked = secretVariables.filter((name) => name in schema.shape);
  const policySecrets = policySecretNames(environment);
  const given: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) if (value !== undefined && value !== '') given[name] = value;
  // A secret whose file cannot be read was given, wrongly: it is not missing as well.
  const unreadable = new Set<string>();
  for (const name of [...asked, ...policySecrets]) {
    const outcome = readSecret(name, given, readFile);
    if ('problem' in outcome) {
      problems.push(outcome.problem);
      unreadable.add(name);
    } else if (outcome.value !== undefined) given[name] = outcome.value;
  }

  const parsed = schema.safeParse(given);
  for (const issue of parsed.error?.issues ?? []) {
    const name = String(issue.path[0]);
    if (!unreadable.has(name)) problems.push(`${name} ${issue.message}`);
  }
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);
  return {
    values: parsed.data,
    policySecrets: Object.fromEntries(policySecrets.map((name) => [name, given[name] ?? ''])),
  };
}

/** Every value of a config that must never be seen in a log, an error or a message. */
export function secretsOf(config: Config): readonly string[] {
  return [
    config.slack.botToken,
    config.slack.signingSecret,
    ...config.alertmanager.webhookTokens,
    ...(config.pagerduty.routingKey === null ? [] : [config.pagerduty.routingKey]),
    ...Object.values(config.policySecrets),
    ...databaseSecrets(config.databaseUrl ?? null),
  ];
}

function toConfig(values: z.infer<typeof environmentSchema>, policySecrets: Record<string, string>): Config {
  return {
    host: values.HOST,
    port: values.PORT,
    publicUrl: values.PUBLIC_URL ?? null,
    dataDir: values.DATA_DIR,
    databaseUrl: values.DATABASE_URL ?? null,
    policyDir: values.POLICY_DIR,
    logLevel: values.LOG_LEVEL,
    slack: {
      botToken: values.SLACK_BOT_TOKEN,
      signingSecret: values.SLACK_SIGNING_SECRET,
      apiUrl: values.SLACK_API_URL,
    },
    alertmanager: { webhookTokens: values.ALERTMANAGER_WEBHOOK_TOKEN, url: values.ALERTMANAGER_URL ?? null },
    prometheusUrl: values.PROMETHEUS_URL ?? null,
    operationsChannel: values.OPERATIONS_CHANNEL ?? null,
    defaultChannel: values.DEFAULT_CHANNEL ?? null,
    pagerduty: { routingKey: values.PAGERDUTY_ROUTING_KEY ?? null, eventsHost: values.PAGERDUTY_EVENTS_HOST ?? null },
    policySecrets,
    journalRetentionDays: values.JOURNAL_RETENTION_DAYS ?? null,
    privateAddresses: values.OUTGOING_PRIVATE_ADDRESSES,
  };
}

/** `10.1.0.0/16`, `fd00::/8`, or one address. */
function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

function databaseSecrets(url: string | null): string[] {
  const parsed = url === null ? null : URL.parse(url);
  if (url === null || !parsed) return [];
  const password = parsed.searchParams.get('password') ?? parsed.password;
  return [url, ...(password === '' ? [] : [password, decodeURIComponent(password)])];
}

function readSecret(
  name: string,
  given: Readonly<Record<string, string>>,
  readFile: (path: string) => string,
): { value: string | undefined } | { problem: string } {
  const file = `${name}_FILE`;
  const path = given[file];
  if (path === undefined) return { value: given[name] };
  if (given[name] !== undefined) return { problem: `${name} and ${file} are both set: keep one of them` };
  try {
    const value = readFile(path).replace(/\r?\n$/, '');
    if (value === '') return { problem: `${file} points to ${path}, which is empty: put the secret into it` };
    return { value };
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    return { problem: `${file} points to ${path}, which cannot be read (${why}): check the path and its permissions` };
  }
}

/** `LASTGOOD_SECRET_ROUTER_FILE` stands for `LASTGOOD_SECRET_ROUTER`. */
function policySecretNames(environment: Environment): string[] {
  const names = Object.entries(environment)
    .filter(([name, value]) => name.startsWith(policySecretPrefix) && value !== undefined && value !== '')
    .map(([name]) => name.replace(/_FILE$/, ''));
  return [...new Set(names)].sort();
}

function isHttpUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const url = new URL(value);
  return /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
}

function readUtf8(path: string): string {
  return readFileSync(path, 'utf8');
}

import { z } from 'zod';
import { ConfigError, type Environment, read, readUtf8 } from './config/read.ts';
import { environmentSchema, type LogLevel } from './config/variables.ts';

export { ConfigError, type Environment } from './config/read.ts';
export { type LogLevel, variables } from './config/variables.ts';

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
  /** None: it can be asked only what everybody may ask. */
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

/** As far as there is none to be had: what can be looked at without getting in. */
export function loadClientPlace(environment: Environment): ClientConfig {
  const { values, policySecrets } = read(
    environmentSchema.pick({ POLICY_DIR: true, PORT: true }),
    environment,
    readUtf8,
  );
  return { port: values.PORT, policyDir: values.POLICY_DIR, webhookTokens: [], policySecrets };
}

/** What policies may leave to the instance. */
export interface Provided {
  readonly prometheusUrl: string | null;
  readonly alertmanager: { readonly url: string | null };
  readonly pagerduty: { readonly routingKey: string | null };
}

/** @throws {ConfigError} with every problem at once. */
export function loadProvided(environment: Environment): Provided {
  const schema = environmentSchema.pick({ PROMETHEUS_URL: true, ALERTMANAGER_URL: true, PAGERDUTY_ROUTING_KEY: true });
  const { values } = read(schema, environment, readUtf8);
  return {
    prometheusUrl: values.PROMETHEUS_URL ?? null,
    alertmanager: { url: values.ALERTMANAGER_URL ?? null },
    pagerduty: { routingKey: values.PAGERDUTY_ROUTING_KEY ?? null },
  };
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

function databaseSecrets(url: string | null): string[] {
  const parsed = url === null ? null : URL.parse(url);
  if (url === null || !parsed) return [];
  const password = parsed.searchParams.get('password') ?? parsed.password;
  return [url, ...(password === '' ? [] : [password, decodeURIComponent(password)])];
}

export { parseWebhook, severityOf, type Webhook, WebhookProblem } from './alertmanager.ts';
export { type SampleOptions, sampleWebhook } from './sample.ts';

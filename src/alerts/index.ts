export { type AlertSourceOptions, createAlertSource } from './alert-source.ts';
export { parseWebhook, severityOf, type Webhook, WebhookProblem } from './alertmanager.ts';
export { type SampleOptions, sampleWebhook } from './sample.ts';

import type { Fields } from '../../src/workspace/fields.ts';

const plain = (text: string): Fields => ({ type: 'plain_text', text, emoji: true });
const mrkdwn = (text: string): Fields => ({ type: 'mrkdwn', text });
const raw = (text: string): Fields => ({ type: 'raw_text', text });

const categories = ['12:00', '12:02', '12:04', '12:06', '12:08', '12:10', '12:12', '12:14'];
const line = (name: string, values: number[]): Fields => ({
  name,
  data: values.map((value, index) => ({ label: categories[index], value })),
});

/** A degradation card as an app would post it: the blocks that a real one has. */
export function degradationCard(now: number): Fields[] {
  const deadline = Math.floor(now / 1000) + 840;
  return [
    { type: 'header', text: plain('🔴 fraud-scorer v42 is degraded at 50 %') },
    {
      type: 'section',
      text: mrkdwn(
        `*Error rate* is *6.1 %* on v42, against *0.4 %* on v41: the rollout is to blame. ` +
          `Without an answer, *roll back to v41* in phases at <!date^${deadline}^{time}|12:29>.`,
      ),
    },
    {
      type: 'table',
      rows: [
        [raw('Metric'), raw('v41 stable'), raw('v42 candidate'), raw('Change'), raw('Verdict')],
        [raw('Error rate'), raw('0.4 %'), raw('6.1 %'), raw('+5.7 pp'), raw('🔴 worse')],
        [raw('p99 latency'), raw('118 ms'), raw('131 ms'), raw('+11 %'), raw('🟡 inconclusive')],
        [raw('Approval rate'), raw('93.1 %'), raw('92.8 %'), raw('−0.3 pp'), raw('🟢 no worse')],
      ],
      column_settings: [{}, { align: 'right' }, { align: 'right' }, { align: 'right' }],
    },
    {
      type: 'data_visualization',
      title: 'Error rate, stable against candidate',
      chart: {
        type: 'line',
        series: [
          line('v41 stable', [0.4, 0.5, 0.4, 0.3, 0.4, 0.5, 0.4, 0.4]),
          line('v42 candidate', [0.4, 0.6, 0.9, 1.8, 3.2, 4.9, 5.8, 6.1]),
        ],
        axis_config: { categories, x_label: 'Time', y_label: '% of requests' },
      },
    },
    {
      type: 'actions',
      elements: [
        { type: 'button', action_id: 'rollback', text: plain('Roll back'), style: 'danger', value: 'b1' },
        { type: 'button', action_id: 'hold', text: plain('Hold 30 min'), value: 'b1' },
        {
          type: 'button',
          action_id: 'promote',
          text: plain('Promote one step'),
          value: 'b1',
          confirm: {
            title: plain('Promote while degraded?'),
            text: mrkdwn('This overrides *error rate*.'),
            confirm: plain('Promote'),
            deny: plain('Cancel'),
            style: 'danger',
          },
        },
        { type: 'button', action_id: 'runbook', text: plain('Runbook'), url: 'https://example.com/runbook' },
        {
          type: 'overflow',
          action_id: 'more',
          options: [
            { text: plain('Extend by 10 min'), value: 'extend-10' },
            { text: plain('I am on it'), value: 'ack' },
          ],
        },
      ],
    },
    {
      type: 'context',
      elements: [
        mrkdwn(':bell: `HighErrorRate` firing since 12:06'),
        mrkdwn('<https://example.com/d/1|Dashboard>'),
        mrkdwn('policy `fraud-scorer@3f9c1e2`'),
      ],
    },
  ];
}

export const rollbackModal: Fields = {
  type: 'modal',
  callback_id: 'rollback',
  private_metadata: '{"service":"fraud-scorer"}',
  title: plain('Roll back'),
  submit: plain('Roll back'),
  close: plain('Cancel'),
  notify_on_close: true,
  blocks: [
    { type: 'alert', level: 'warning', text: mrkdwn('*50 %* of traffic moves from *v42* to *v41*.') },
    {
      type: 'input',
      block_id: 'target',
      label: plain('To version'),
      element: {
        type: 'static_select',
        action_id: 'version',
        initial_option: { text: plain('v41 (last known good)'), value: 'v41' },
        options: [
          { text: plain('v41 (last known good)'), value: 'v41' },
          { text: plain('v40'), value: 'v40' },
        ],
      },
    },
    {
      type: 'input',
      block_id: 'pace',
      label: plain('How'),
      element: {
        type: 'radio_buttons',
        action_id: 'how',
        initial_option: { text: plain('In phases: 50, 10, 0 %'), value: 'phased' },
        options: [
          { text: plain('In phases: 50, 10, 0 %'), value: 'phased' },
          { text: plain('At once'), value: 'now' },
        ],
      },
    },
    {
      type: 'input',
      block_id: 'why',
      label: plain('Reason'),
      hint: plain('It goes into the journal.'),
      element: { type: 'plain_text_input', action_id: 'reason', multiline: true, min_length: 3, max_length: 500 },
    },
  ],
};

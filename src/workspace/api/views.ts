import { missing, SlackError } from '../errors.ts';
import type { View } from '../types.ts';
import type { Call, Methods } from './method.ts';

/** The view of a call, parsed; checked before the trigger is used up, as Slack does. */
function viewOf(call: Call): unknown {
  const view = call.args.json('view');
  if (view === undefined) throw missing('view');
  return view;
}

function exchanged(call: Call): string {
  const result = call.triggers.exchange(call.args.required('trigger_id'));
  if ('error' in result) throw new SlackError(result.error);
  return result.user;
}

function answer(call: Call, view: View) {
  return { view: call.views.wire(view) };
}

export const viewMethods: Methods = {
  'views.open': (call) => {
    const view = viewOf(call);
    return answer(call, call.views.open(exchanged(call), view));
  },
  'views.push': (call) => {
    const view = viewOf(call);
    return answer(call, call.views.push(exchanged(call), view));
  },
  'views.update': (call) => {
    const view = viewOf(call);
    const viewId = call.args.text('view_id');
    const externalId = call.args.text('external_id');
    if (viewId === undefined && externalId === undefined) throw missing('view_id');
    return answer(call, call.views.update({ viewId, externalId }, view, call.args.text('hash')));
  },
  'views.publish': (call) => {
    const view = viewOf(call);
    const user = call.args.required('user_id');
    if (!call.state.users.has(user)) throw new SlackError('user_not_found');
    return answer(call, call.views.publish(user, view, call.args.text('hash')));
  },
};

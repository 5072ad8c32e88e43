import { SlackError } from './errors.ts';
import { type Fields, fieldsOf, isFields } from './fields.ts';
import { elementsOf, inputErrors, isNamed, valueFor } from './inputs.ts';
import { nothingSent } from './interactions.ts';
import type { Outgoing } from './outgoing.ts';
import { interactionBase } from './payloads.ts';
import type { State } from './state.ts';
import type { Triggers } from './triggers.ts';
import type { Delivery, Submission, View } from './types.ts';
import { inputBlocks, type Views } from './views.ts';

/** Filling, submitting and closing modals as Slack's client does. */
export class Modals {
  private readonly state: State;
  private readonly triggers: Triggers;
  private readonly views: Views;
  private readonly outgoing: Outgoing;

  constructor(parts: { state: State; triggers: Triggers; views: Views; outgoing: Outgoing }) {
    this.state = parts.state;
    this.triggers = parts.triggers;
    this.views = parts.views;
    this.outgoing = parts.outgoing;
  }

  private openView(user: string, viewId: string): View {
    const view = this.state.views.get(viewId);
    if (view === undefined || view.user !== user) throw new Error(`${user} has no open modal ${viewId}`);
    return view;
  }

  /** Types into inputs. Keys: block ids, action ids or labels. */
  fill(user: string, viewId: string, values: Record<string, string | readonly string[]>): void {
    const view = this.openView(user, viewId);
    for (const [name, value] of Object.entries(values)) {
      const all = elementsOf(view.blocks);
      const byBlock = all.filter((one) => one.block.type === 'input' && one.block.block_id === name);
      const found = byBlock.length > 0 ? byBlock : all.filter((one) => isNamed(one, name));
      const [only] = found;
      if (only === undefined || found.length > 1) {
        const labels = inputBlocks(view).map((block) => fieldsOf(block.label).text);
        throw new Error(
          `The modal "${view.title}" has ${found.length} inputs "${name}"; its inputs: ${labels.join(', ')}`,
        );
      }
      const block = String(only.block.block_id);
      view.values[block] = {
        ...view.values[block],
        [String(only.element.action_id)]: valueFor(this.state, only.element, value),
      };
    }
  }

  async submit(user: string, viewId: string, values: Record<string, string | readonly string[]>): Promise<Submission> {
    this.fill(user, viewId, values);
    const view = this.openView(user, viewId);
    if (view.wire.submit === null) throw new Error(`The modal "${view.title}" has no submit button`);
    const errors = inputErrors(view);
    if (Object.keys(errors).length > 0) return { ...nothingSent, ok: false, errors, action: 'errors' };
    const delivery = await this.outgoing.interaction('view_submission', {
      type: 'view_submission',
      ...interactionBase(this.state, user),
      trigger_id: this.triggers.issue(user),
      view: this.views.wire(view),
      response_urls: [],
    });
    if (!delivery.ok) return { ...delivery, action: 'none' };
    try {
      return { ...delivery, ...this.apply(view, delivery.body) };
    } catch (error) {
      if (!(error instanceof SlackError)) throw error;
      // Slack shows "We had some trouble connecting"; the body says what was wrong with the answer.
      const body = JSON.stringify({ ok: false, error: error.code, ...error.extra });
      return { ok: false, status: delivery.status, error: 'dispatch_failed', body, action: 'none' };
    }
  }

  /** Does what the acknowledgement of a submission asks for. */
  private apply(view: View, body: string): { action: Submission['action']; errors?: Record<string, string> } {
    const answer = answerOf(body);
    switch (answer.response_action) {
      case undefined:
        this.views.close(view);
        return { action: 'close' };
      case 'clear':
        this.views.clear(view);
        return { action: 'clear' };
      case 'errors':
        return { action: 'errors', errors: this.namedErrors(view, answer.errors) };
      case 'update':
        this.views.update({ viewId: view.id }, answer.view, undefined);
        return { action: 'update' };
      case 'push':
        this.views.push(view.user, answer.view);
        return { action: 'push' };
      default:
        throw new SlackError('invalid_response_action');
    }
  }

  private namedErrors(view: View, errors: unknown): Record<string, string> {
    const blocks = new Set(inputBlocks(view).map((block) => String(block.block_id)));
    const named = Object.entries(fieldsOf(errors));
    if (named.length === 0 || !named.every(([block, text]) => blocks.has(block) && typeof text === 'string')) {
      throw new SlackError('invalid_errors', { errors: ['errors must name input blocks by their block_id'] });
    }
    return Object.fromEntries(named.map(([block, text]) => [block, String(text)]));
  }

  /** Closes a modal by hand; the app hears of it if it asked to. */
  async close(user: string, viewId: string): Promise<Delivery> {
    const view = this.openView(user, viewId);
    const cleared = view.wire.clear_on_close === true;
    const gone = cleared ? this.views.clear(view) : [view];
    if (!cleared) this.views.close(view);
    let last = nothingSent;
    for (const one of gone.toReversed()) {
      if (one.wire.notify_on_close !== true) continue;
      last = await this.outgoing.interaction('view_closed', {
        type: 'view_closed',
        ...interactionBase(this.state, user),
        view: this.views.wire(one),
        is_cleared: cleared,
      });
    }
    return last;
  }
}

function answerOf(body: string): Fields {
  if (body.trim() === '') return {};
  try {
    const value: unknown = JSON.parse(body);
    if (isFields(value)) return value;
  } catch {
    throw new SlackError('invalid_response');
  }
  throw new SlackError('invalid_response');
}

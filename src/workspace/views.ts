import { createHash } from 'node:crypto';
import { limits } from './blockkit/limits.ts';
import { validateView } from './blockkit/validate.ts';
import { SlackError } from './errors.ts';
import { copyOf, type Fields, fieldsOf, isFields, objectsOf, stringOf } from './fields.ts';
import { initialValues } from './inputs.ts';
import type { State } from './state.ts';
import type { View } from './types.ts';

/** Opens, changes and closes modals and Home tabs, with Slack's rules for stacks and hashes. */
export class Views {
  private readonly state: State;

  constructor(state: State) {
    this.state = state;
  }

  open(user: string, source: unknown): View {
    const view = this.create(user, source, 'modal', null);
    for (const old of this.state.stacks.get(user) ?? []) this.state.views.delete(old);
    this.state.stacks.set(user, [view.id]);
    this.changed(view);
    return view;
  }

  push(user: string, source: unknown): View {
    const stack = this.state.stacks.get(user) ?? [];
    if (stack.length === 0) throw new SlackError('not_found');
    if (stack.length >= limits.viewStack) throw new SlackError('push_limit_reached');
    const below = this.state.views.get(stack.at(-1) ?? '') ?? null;
    const view = this.create(user, source, 'modal', below);
    this.state.stacks.set(user, [...stack, view.id]);
    this.changed(view);
    return view;
  }

  /** By view_id or external_id; a hash that is not the view's own is a conflict. */
  update(target: { viewId?: string; externalId?: string }, source: unknown, hash: string | undefined): View {
    const view =
      target.viewId !== undefined
        ? this.state.views.get(target.viewId)
        : [...this.state.views.values()].find((one) => one.wire.external_id === target.externalId);
    if (view === undefined) throw new SlackError('not_found');
    if (hash !== undefined && hash !== '' && hash !== view.hash) throw new SlackError('hash_conflict');
    const checked = this.checked(source, 'modal', view.id);
    this.write(view, checked);
    this.changed(view);
    return view;
  }

  publish(user: string, source: unknown, hash: string | undefined): View {
    const current = this.state.homes.get(user);
    if (hash !== undefined && hash !== '' && current !== undefined && hash !== current.hash) {
      throw new SlackError('hash_conflict');
    }
    const view = current ?? this.blank(user, 'home');
    this.write(view, this.checked(source, 'home', view.id));
    this.state.homes.set(user, view);
    this.changed(view);
    return view;
  }

  /** Takes one modal away; what lies under it is seen again. */
  close(view: View): void {
    this.state.views.delete(view.id);
    const rest = (this.state.stacks.get(view.user) ?? []).filter((id) => id !== view.id);
    this.state.stacks.set(view.user, rest);
    this.changed(view);
  }

  clear(view: View): View[] {
    const all = this.openOf(view.user);
    for (const one of all) this.state.views.delete(one.id);
    this.state.stacks.set(view.user, []);
    this.changed(view);
    return all;
  }

  openOf(user: string): View[] {
    return (this.state.stacks.get(user) ?? []).flatMap((id) => this.state.views.get(id) ?? []);
  }

  /** The view as the API and the payloads show it, with what is typed in. */
  wire(view: View): Fields {
    return { ...copyOf(view.wire), state: { values: copyOf(view.values) }, hash: view.hash };
  }

  private checked(source: unknown, type: 'modal' | 'home', own: string | null): Fields {
    const refused = validateView(source, type, (id) => this.state.fileReady(id));
    if (refused !== null) throw new SlackError(refused.code, { errors: refused.errors });
    const view = fieldsOf(source);
    const external = stringOf(view.external_id);
    if (external !== undefined && external !== '') {
      const taken = [...this.state.views.values()].some((one) => one.wire.external_id === external && one.id !== own);
      if (taken) throw new SlackError('duplicate_external_id');
    }
    return view;
  }

  private create(user: string, source: unknown, type: 'modal', below: View | null): View {
    const checked = this.checked(source, type, null);
    const view = this.blank(user, type);
    view.wire.previous_view_id = below?.id ?? null;
    view.wire.root_view_id = below === null ? view.id : (below.wire.root_view_id ?? view.id);
    this.write(view, checked);
    this.state.views.set(view.id, view);
    return view;
  }

  private blank(user: string, type: 'modal' | 'home'): View {
    const id = this.state.nextId('V');
    const wire = {
      id,
      team_id: this.state.teamId,
      type,
      root_view_id: id,
      previous_view_id: null,
      app_id: this.state.appId,
      app_installed_team_id: this.state.teamId,
      bot_id: this.state.botId,
    };
    return { id, user, wire, hash: '', callbackId: '', title: '', privateMetadata: '', blocks: [], values: {} };
  }

  private write(view: View, source: Fields): void {
    const blocks = this.state.withIds(source.blocks);
    view.wire = {
      ...view.wire,
      blocks,
      private_metadata: source.private_metadata ?? '',
      callback_id: source.callback_id ?? '',
      external_id: source.external_id ?? '',
      title: withEmoji(source.title) ?? null,
      submit: withEmoji(source.submit) ?? null,
      close: withEmoji(source.close) ?? null,
      clear_on_close: source.clear_on_close ?? false,
      notify_on_close: source.notify_on_close ?? false,
      submit_disabled: source.submit_disabled ?? false,
    };
    view.blocks = blocks;
    view.callbackId = stringOf(source.callback_id) ?? '';
    view.privateMetadata = stringOf(source.private_metadata) ?? '';
    view.title = stringOf(fieldsOf(source.title).text) ?? '';
    // What a person typed stays when block and action keep their ids.
    view.values = merged(initialValues(blocks), view.values);
    view.hash = `${Math.floor(this.state.now() / 1000)}.${createHash('sha256')
      .update(this.state.nextId('h'))
      .digest('hex')
      .slice(0, 8)}`;
  }

  private changed(view: View): void {
    this.state.changed({ kind: view.wire.type === 'home' ? 'home' : 'view', user: view.user });
  }
}

function withEmoji(value: unknown): Fields | undefined {
  return isFields(value) ? { emoji: true, ...value } : undefined;
}

type Values = View['values'];

function merged(fresh: Values, typed: Values): Values {
  const result: Values = {};
  for (const [block, actions] of Object.entries(fresh)) {
    const kept: Record<string, Fields> = {};
    for (const [action, value] of Object.entries(actions)) {
      const before = typed[block]?.[action];
      kept[action] = before !== undefined && before.type === value.type ? before : value;
    }
    result[block] = kept;
  }
  return result;
}

/** The input blocks of a view. */
export function inputBlocks(view: View): Fields[] {
  return objectsOf(view.blocks).filter((block) => block.type === 'input');
}

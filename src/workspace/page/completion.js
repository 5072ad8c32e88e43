/**
 * What can be typed next. `text` is what stands before the caret; `commands` what the workspace knows; `known` what the
 * app says of the command (`{ subcommands, words }`), null where it says nothing. Answers `{ options, usage }`: what is offered,
 * each as the whole line it would make, and what the line is about. `certain`: Enter takes the first of them.
 */
export function complete(text, commands, known) {
  const nothing = { options: [], usage: null, certain: false };
  if (!text.startsWith('/')) return nothing;
  const words = text.split(/\s+/);
  const command = commands.find((one) => one.command === words[0]);
  if (words.length === 1) return { ...nothing, ...offered(commandsLike(words[0], commands), words[0]) };
  if (command === undefined) return nothing;
  const subcommands = known?.subcommands ?? fromHint(command.usageHint);
  const last = words.at(-1);
  const line = text.slice(0, text.length - last.length);
  if (words.length === 2) {
    const like = subcommands
      .filter((one) => one.name.startsWith(last.toLowerCase()))
      .map((one) => ({ word: one.name, insert: `${line}${one.name} `, hint: one.usage, note: one.summary }));
    return { ...nothing, ...offered(like, last) };
  }
  const subcommand = subcommands.find((one) => one.name === words[1].toLowerCase());
  if (subcommand === undefined) return nothing;
  const slots = slotsOf(subcommand.usage);
  const { slot, given } = whereIn(slots, words.slice(2, -1));
  const lists = {
    ...known?.words,
    SUBCOMMAND: subcommands.map(({ name, summary }) => ({ value: name, note: summary })),
  };
  const inText = slot?.of === 'flag' && !last.startsWith('--');
  const flags = inText ? [] : slots.filter((one) => one.kind === 'flag' && !given.has(one.name));
  const values = last.startsWith('--') || slot === null ? [] : valuesOf(slot, lists);
  const like = [
    ...values
      .filter((one) => one.value.startsWith(last))
      .map((one) => ({ word: one.value, insert: `${line}${one.value} `, hint: '', note: one.note ?? '' })),
    ...flags
      .filter((one) => one.name.startsWith(last))
      .map((one) => ({ word: one.name, insert: `${line}${one.name} `, hint: one.value ?? '', note: '' })),
  ];
  return {
    ...offered(like, last),
    usage: { name: `${words[0]} ${subcommand.name}`, slots, present: slot?.text ?? null, summary: subcommand.summary },
  };
}

/** Half a word is taken by Enter; a whole one, or none, sends the line. */
function offered(like, typed) {
  const whole = like.some((one) => one.word === typed);
  const options = like.filter((one) => one.word !== typed);
  return { options, certain: typed !== '' && !whole && options.length > 0 };
}

function commandsLike(typed, commands) {
  return commands
    .filter((one) => one.command.startsWith(typed))
    .map((one) => ({ word: one.command, insert: `${one.command} `, hint: one.usageHint, note: one.description }));
}

/** The words of a hint such as `[start|status|help] <service>`. */
function fromHint(hint) {
  const group = hint.split(/\s+/).find((word) => word.includes('|')) ?? '';
  return group
    .split('|')
    .map((word) => word.replace(/[^a-z0-9-]/gi, ''))
    .filter((word) => word !== '')
    .map((name) => ({ name, usage: '', summary: '' }));
}

/** A usage's parts in order: `SERVICE`, `on|off`, `[--reason TEXT]`. */
export function slotsOf(usage) {
  return [...usage.matchAll(/\[([^\]]+)\]|(--[a-z-]+(?: [A-Z]+)?)|(\S+)/g)].map((match) => {
    const text = match[0];
    const inner = match[1] ?? text;
    const flag = /^(--[a-z-]+)(?:[ =](\S+))?$/.exec(inner);
    if (flag !== null) return { kind: 'flag', text, name: flag[1], value: flag[2] ?? null };
    return { kind: 'word', text, inner };
  });
}

/** Which part the next word is for, after these: a flag's value, the next positional, or none. */
function whereIn(slots, before) {
  const given = new Set();
  const positional = slots.filter((one) => one.kind === 'word');
  let at = 0;
  let open = null;
  for (const word of before.filter((one) => one !== '')) {
    const flag = slots.find((one) => one.kind === 'flag' && one.name === word);
    if (flag !== undefined) {
      given.add(flag.name);
      open = flag.value === null ? null : flag;
    } else if (open === null) at += 1;
    // A text goes on until the next flag; anything else is one word.
    else if (open.value !== 'TEXT') open = null;
  }
  if (open !== null) return { slot: { of: 'flag', text: open.text, inner: open.value }, given };
  const next = positional[at];
  return { slot: next === undefined ? null : { of: 'word', text: next.text, inner: next.inner }, given };
}

/** What may stand there: either of `a|b`, and what a capital word stands for. */
function valuesOf(slot, lists) {
  return slot.inner.split('|').flatMap((one) => {
    if (/^[A-Z]+$/.test(one)) return lists[one] ?? [];
    return [{ value: one }];
  });
}

import type { CardView, ChatContent } from '../../ports/chat.ts';
import type { Drawing } from './blocks.ts';
import { degradationCard } from './degradation.ts';
import { entryLine } from './entry.ts';
import { note } from './note.ts';
import { report } from './report.ts';
import { rolloutCard } from './rollout.ts';

/** A card as blocks and fallback text: a function of the view, and of nothing else. */
export function card(view: CardView): Drawing {
  return view.card.kind === 'rollout' ? rolloutCard(view) : degradationCard(view);
}

/** Everything the app can say, drawn. */
export function draw(content: ChatContent): Drawing {
  switch (content.kind) {
    case 'card':
      return card(content.view);
    case 'entry':
      return entryLine(content.entry);
    case 'note':
      return note(content.text);
    case 'report':
      return report(content.view, content.journal);
  }
}

/**
 * A JSON text as what it says apart from its whole numbers and one name, and these. Texts made of the same thing by the same code differ
 * in nothing else, so what they have in common is held once: a few hundred bytes each in place of more than a thousand.
 */
export interface AlikeText {
  readonly form: string;
  readonly name: string;
  readonly numbers: readonly number[];
}

/** Forms that are held once; of what has more, texts stand by themselves. */
const MOST_FORMS = 256;
/** Where the name and the numbers were. No JSON text has these in it: control characters are escaped there. */
const NAME = '\u0001';
const NUMBER = '\u0002';
/** Up to fifteen digits a number comes back as it was, and with no nought before it. */
const NUMBERS = /(?<!\d)[1-9]\d{0,14}(?!\d)/g;

/** Packs texts that are much alike. */
export class AlikeTexts {
  readonly #forms = new Map<string, string>();

  /** `name`: of what it is about, which tells it from the others. */
  pack(text: string, name: string): AlikeText {
    const numbers: number[] = [];
    const form = text.replaceAll(name, NAME).replace(NUMBERS, (digits) => {
      numbers.push(Number(digits));
      return NUMBER;
    });
    // Without the room that it had to grow.
    return { form: this.#shared(form), name, numbers: numbers.slice() };
  }

  #shared(form: string): string {
    const known = this.#forms.get(form);
    if (known !== undefined) return known;
    if (this.#forms.size >= MOST_FORMS) this.#forms.clear();
    this.#forms.set(form, form);
    return form;
  }
}

/** The text as it was. */
export function textOf({ form, name, numbers }: AlikeText): string {
  const parts = form.split(NUMBER);
  let text = parts[0] ?? '';
  for (let at = 1; at < parts.length; at += 1) text += `${numbers[at - 1]}${parts[at]}`;
  return text.replaceAll(NAME, () => name);
}

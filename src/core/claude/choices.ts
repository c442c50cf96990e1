/** The choices at the end of a page: one of them is marked, and all begin in the same column. */
import type { StyledLine } from "../styled-text.ts";

export interface Choice {
  readonly number: number | null;
  /** Its first row. */
  readonly label: string;
  /** What stands below that, further in: the rest of a long one, or words about it. */
  readonly more: string;
}

export interface FoundChoices {
  readonly list: readonly Choice[];
  /** Index of the marked one. */
  readonly chosen: number;
  /** Lines of the screen: of the first of them, and behind the last and what belongs to it. */
  readonly begin: number;
  readonly end: number;
}

const MARKED = /^( *)❯ (?! )(.+)$/;
const NUMBERED = /^(\d+)\. +(.+)$/;

interface Found extends Omit<Choice, "more"> {
  readonly at: number;
}

/** Those below the line `from`; null when nothing is marked there. */
export function readChoices(lines: readonly StyledLine[], from: number): FoundChoices | null {
  const texts = lines.map(({ text }, at) => (at < from ? "" : text));
  const marked = texts.findLastIndex((text) => MARKED.test(text));
  if (marked < 0) return null;
  const [, indent, label] = MARKED.exec(texts[marked]!)!;
  const column = indent!.length + 2;
  const list = NUMBERED.test(label!) ? numbered(texts, marked, column) : plain(texts, marked, column);
  const last = list.at(-1)!.at;
  let end = last + 1;
  // Words that belong to the last one stand further in.
  while (end < texts.length && /^ +/.exec(texts[end]!) !== null && /^ */.exec(texts[end]!)![0].length > column) end += 1;
  return {
    list: list.map(({ at, number, label }, index) => ({
      number,
      label,
      more: texts
        .slice(at + 1, list[index + 1]?.at ?? end)
        .map((text) => text.trim())
        .filter((text) => text !== "" && !/^─+$/.test(text))
        .join(" "),
    })),
    chosen: list.findIndex(({ at }) => at === marked),
    begin: list[0]!.at,
    end,
  };
}

const labelAt = (text: string, column: number): string | null => {
  // There are more than the screen has room for.
  if (/^ *[↑↓] \d+ more\b/.test(text)) return null;
  const before = text.slice(0, column);
  return /^ *(❯ )?$/.test(before) && before.length === column && /^\S/.test(text.slice(column)) ? text.slice(column) : null;
};

/** One after the other by their numbers, with words, blanks or a rule between them. */
function numbered(texts: readonly string[], marked: number, column: number): Found[] {
  const choice = (at: number): Found | null => {
    const match = NUMBERED.exec(labelAt(texts[at]!, column) ?? "");
    return match === null ? null : { at, number: Number(match[1]), label: match[2]!.trim() };
  };
  const list = [choice(marked)!];
  for (let at = marked - 1; at >= 0 && list[0]!.number! > 1; at -= 1) {
    const one = choice(at);
    if (one === null ? breaks(texts[at]!, column) : one.number !== list[0]!.number! - 1) break;
    if (one !== null) list.unshift(one);
  }
  for (let at = marked + 1; at < texts.length; at += 1) {
    const one = choice(at);
    if (one === null ? breaks(texts[at]!, column) : one.number !== list.at(-1)!.number! + 1) break;
    if (one !== null) list.push(one);
  }
  return list;
}

/** Words in the column of the choices, or left of it, are no part of a choice. */
const breaks = (text: string, column: number): boolean => text !== "" && !/^─+$/.test(text) && /^ */.exec(text)![0].length <= column;

/** Directly below one another. */
function plain(texts: readonly string[], marked: number, column: number): Found[] {
  const choice = (at: number): Found | null => {
    const label = labelAt(texts[at] ?? "", column);
    return label === null ? null : { at, number: null, label: label.trim() };
  };
  const list = [choice(marked)!];
  for (let one = choice(marked - 1); one !== null; one = choice(one.at - 1)) list.unshift(one);
  for (let one = choice(marked + 1); one !== null; one = choice(one.at + 1)) list.push(one);
  return list;
}

/** Text captured with its escape sequences, read into lines of cells: what is dim or reversed tells a hint from typed words. */

interface Cell {
  readonly char: string;
  readonly bold: boolean;
  readonly dim: boolean;
  readonly reverse: boolean;
  /** The parameters that gave its colour, for instance `5;246`; empty: the terminal's own. */
  readonly colour: string;
}

export interface StyledLine {
  /** The line without sequences, blanks at its end cut. */
  readonly text: string;
  readonly cells: readonly Cell[];
}

const sequence = /\u001b\[([0-9;:?]*)([A-Za-z])|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|\u001b[()][A-Z0-9]|\u001b/y;

/** Whether the text holds any escape sequence. */
export const isStyled = (text: string): boolean => text.includes("\u001b[");

/** Splits a capture into lines. Attributes carry over line ends, as terminals and tmux have it. */
export function styledLines(capture: string): StyledLine[] {
  const lines: StyledLine[] = [];
  let cells: Cell[] = [];
  let style: Style = { bold: false, dim: false, reverse: false, colour: "" };
  const endLine = () => {
    lines.push({
      text: cells
        .map((cell) => cell.char)
        .join("")
        .trimEnd(),
      cells,
    });
    cells = [];
  };
  for (let at = 0; at < capture.length;) {
    sequence.lastIndex = at;
    const match = sequence.exec(capture);
    if (match !== null) {
      if (match[2] === "m") style = styleAfter(style, match[1] ?? "");
      at += match[0].length;
      continue;
    }
    const char = String.fromCodePoint(capture.codePointAt(at) ?? 0);
    at += char.length;
    if (char === "\n") endLine();
    else cells.push({ char, ...style });
  }
  if (cells.length > 0) endLine();
  return lines;
}

type Style = Omit<Cell, "char">;

function styleAfter(style: Style, parameters: string): Style {
  let { bold, dim, reverse, colour } = style;
  const codes = parameters === "" ? [0] : parameters.split(";").map((part) => Number.parseInt(part, 10));
  for (let index = 0; index < codes.length; index += 1) {
    const code = codes[index];
    if (code === 38 || code === 48 || code === 58) {
      // A colour brings its own parameters, which are no attributes.
      const length = codes[index + 1] === 2 ? 4 : 2;
      if (code === 38) colour = codes.slice(index + 1, index + 1 + length).join(";");
      index += length;
    } else if (code === 0) [bold, dim, reverse, colour] = [false, false, false, ""];
    else if (code === 39) colour = "";
    else if (code !== undefined && ((code >= 30 && code <= 37) || (code >= 90 && code <= 97))) colour = String(code);
    else if (code === 1) bold = true;
    else if (code === 2) dim = true;
    else if (code === 7) reverse = true;
    else if (code === 22) [bold, dim] = [false, false];
    else if (code === 27) reverse = false;
  }
  return { bold, dim, reverse, colour };
}

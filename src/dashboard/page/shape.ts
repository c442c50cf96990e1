/** How much room a terminal of some size takes, known before it is there. */

export interface TerminalProps {
  /** Name of the session. */
  readonly session: string;
  readonly cols: number;
  readonly rows: number;
}

/** Width of a character over its height, with the padding of the box. */
const CELL = 0.52;

/** As CSS has it: `aspect-ratio`. */
export const shape = (cols: number, rows: number): string =>
  `${Math.round(Math.max(cols, 20) * CELL * 100) / 100} / ${Math.max(rows, 5) + 1}`;

/** Finds the command lines of this program in Markdown: in fenced shell blocks and in inline code. */

export interface CommandLine {
  /** 1 for the first line of the file. */
  readonly line: number;
  readonly text: string;
  /** The words after the program's name. */
  readonly words: readonly string[];
}

const PROGRAM = /^(conveyor|workerctl|(\S*\/)?dist\/(conveyor|workerctl))$/;

/** Splits shell text into simple commands of words: quotes, comments, pipes, `;`, `&&`, `$(…)`, redirections. */
export function simpleCommands(text: string): string[][] {
  const commands: string[][] = [];
  let words: string[] = [];
  let word: string | null = null;
  const endWord = (): void => {
    if (word !== null) words.push(word);
    word = null;
  };
  const endCommand = (): void => {
    endWord();
    if (words.length > 0) commands.push(words);
    words = [];
  };
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (char === "'") {
      const end = text.indexOf("'", i + 1);
      word = (word ?? "") + text.slice(i + 1, end);
      i = end;
    } else if (char === '"') {
      const end = text.indexOf('"', i + 1);
      const inside = text.slice(i + 1, end);
      // A command substitution in double quotes is a command line of its own.
      commands.push(...[...inside.matchAll(/\$\(([^)]*)\)/g)].flatMap((match) => simpleCommands(match[1]!)));
      word = (word ?? "") + inside;
      i = end;
    } else if (char === "#" && word === null) {
      while (i + 1 < text.length && text[i + 1] !== "\n") i++;
    } else if (char === "\\" && text[i + 1] === "\n") i++;
    else if (char === "\n" || char === "|" || char === ";" || char === "&" || char === "(" || char === ")") endCommand();
    else if (char === ">" || char === "<") {
      endWord();
      words.push(char);
    } else if (char === " " || char === "\t") endWord();
    else word = (word ?? "") + char;
  }
  endCommand();
  return commands;
}

function programLines(text: string): { words: string[]; text: string }[] {
  return simpleCommands(text).flatMap((all) => {
    const words = all.filter((word, i) => all.slice(0, i + 1).some((before) => !/^[A-Z_]+=/.test(before)) && word !== "$");
    if (!PROGRAM.test(words[0] ?? "")) return [];
    const redirected = words.findIndex((word) => word === ">" || word === "<");
    return [{ words: words.slice(1, redirected < 0 ? undefined : redirected), text: words.join(" ") }];
  });
}

/** All command lines of a Markdown text. A line whose command is a placeholder in capitals is a form, not a line. */
export function commandLines(markdown: string): CommandLine[] {
  const found: CommandLine[] = [];
  const add = (line: number, text: string): void => {
    for (const each of programLines(text)) if (each.words.length > 0 && !/^[A-Z]+$/.test(each.words[0]!)) found.push({ line, ...each });
  };
  const lines = markdown.split("\n");
  let fence: { at: number; shell: boolean; text: string[] } | null = null;
  let prose = "";
  const endProse = (line: number): void => {
    for (const match of prose.matchAll(/(`+)([^`]+)\1/g)) add(line, match[2]!.replaceAll("\n", " "));
    prose = "";
  };
  for (const [i, line] of lines.entries()) {
    const opener = /^\s*```(\w*)/.exec(line);
    if (fence) {
      if (opener) {
        if (fence.shell) add(fence.at, fence.text.join("\n"));
        fence = null;
      } else fence.text.push(line);
    } else if (opener) {
      endProse(i);
      fence = { at: i + 1, shell: ["sh", "console", "bash"].includes(opener[1]!), text: [] };
    } else if (/^ {4}\S/.test(line) && prose.trim() === "") add(i + 1, line);
    else if (line.trim() === "") endProse(i);
    else prose += `${line}\n`;
  }
  endProse(lines.length);
  return found;
}

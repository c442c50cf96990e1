/** Shell completion: one small script per shell, which asks the program itself what fits. */
import { flagNames } from "./parse.ts";
import { type Arg, type Spec } from "./spec.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;
type Shell = (typeof SHELLS)[number];

/** The text to evaluate in the shell's start file; it completes both names of the program. */
export function completionScript(shell: Shell): string {
  switch (shell) {
    case "bash":
      return `_conveyor() {
  local IFS=$'\\n'
  COMPREPLY=($("\${COMP_WORDS[0]}" __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _conveyor conveyor workerctl`;
    case "zsh":
      return `#compdef conveyor workerctl
_conveyor() {
  local -a found
  found=("\${(@f)$("\${words[1]}" __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "\${found[1]}" ]]; then compadd -- "\${found[@]}"; else _files; fi
}
compdef _conveyor conveyor workerctl`;
    case "fish":
      return `function __conveyor_complete
  set -l words (commandline -opc) (commandline -ct)
  command $words[1] __complete $words[2..-1] 2>/dev/null
end
complete -c conveyor -a '(__conveyor_complete)'
complete -c workerctl -a '(__conveyor_complete)'`;
  }
}

/**
 * What fits at the end of the words typed after a command's name.
 * @param words the last one is the word under the cursor, perhaps empty
 */
export function candidates(spec: Spec, words: readonly string[]): string[] {
  const current = words.at(-1) ?? "";
  const names = flagNames(spec.flags);
  const fits = (all: Iterable<string>) => [...all].filter((word) => word.startsWith(current)).sort();
  const before = words.at(-2) ?? "";
  const open = before.startsWith("--") ? names.get(before.slice(2)) : undefined;
  if (open && open.arg.kind !== "flag") return fits(open.arg.choices ?? open.arg.suggest ?? []);
  if (current.startsWith("-")) return fits([...names.keys(), "help"].map((name) => `--${name}`));
  const typed = words.slice(0, -1).filter((word, i, all) => {
    const flagBefore = all[i - 1]?.startsWith("--") ? names.get(all[i - 1]!.slice(2)) : undefined;
    return !word.startsWith("-") && (!flagBefore || flagBefore.arg.kind === "flag");
  }).length;
  const positional: Arg<unknown> | undefined = Object.values(spec.positionals ?? {})[typed];
  return fits(positional?.choices ?? positional?.suggest ?? []);
}

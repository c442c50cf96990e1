/** `completion`: prints the completion script of a shell. */
import { completionScript, SHELLS } from "../args/complete.ts";
import { choiceWord, verb } from "../args/spec.ts";
import type { Context } from "../context.ts";

export default verb(
  {
    about:
      "Prints the completion script of a shell, to be evaluated in its start " +
      "file. It completes commands, flags and choices of conveyor and workerctl.",
    examples: [
      ["completion bash", 'bash: put  eval "$(conveyor completion bash)"  into ~/.bashrc'],
      ["completion zsh", 'zsh: put  eval "$(conveyor completion zsh)"  into ~/.zshrc, after compinit'],
      ["completion fish", "fish: put  conveyor completion fish | source  into config.fish"],
    ],
    positionals: { shell: choiceWord("the shell", SHELLS) },
  },
  (args, cx: Context) => cx.out(completionScript(args.shell)),
);

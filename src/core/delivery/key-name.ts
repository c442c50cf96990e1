/** Names of keys as tmux takes them: it types whatever it does not know as text, and says nothing. */
import { UsageError } from "../failure.ts";

const NAMED =
  /^(enter|escape|space|tab|btab|bspace|up|down|left|right|home|end|insert|ic|delete|dc|pageup|pgup|ppage|pagedown|pgdn|npage|f([1-9]|1[0-2])|kp(enter|[0-9/*+.-]))$/i;
const MODIFIERS = /^(\^|([CMS]-)+)(?=.)/i;

/** @throws UsageError when tmux would type the word instead of pressing a key */
export function needKeyName(word: string | undefined): void {
  if (word === undefined) return;
  const key = word.replace(MODIFIERS, "");
  if ([...key].length === 1 || NAMED.test(key)) return;
  throw new UsageError(`--key takes one key as tmux names it, like Escape, C-c or Enter, not ${JSON.stringify(word)}`);
}

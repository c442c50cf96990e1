/** `loop-templates`: the built-in loop templates, and policies made from them. */
import { loopRegistry } from "../../flow/loops/registry.ts";

export default loopRegistry("loop-templates", "template");

/** `ralph-loop-presets`: the loop templates under their older name. */
import { loopRegistry } from "../../flow/loops/registry.ts";

export default loopRegistry("ralph-loop-presets", "preset");

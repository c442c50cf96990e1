/**
 * A configuration file that, with the agent's own default model, makes the real Codex talk to a Responses API of ours and ask nobody
 * anything.
 */

/** @param options.modelUrl base address of the API; @param options.trustedFolders folders Codex need not ask about */
export function codexConfig(options: { modelUrl: string; trustedFolders: readonly string[] }): string {
  return [
    'model_provider = "scripted"',
    "check_for_update_on_startup = false",
    "",
    "[analytics]",
    "enabled = false",
    "",
    "[model_providers.scripted]",
    'name = "scripted"',
    `base_url = ${JSON.stringify(options.modelUrl)}`,
    'wire_api = "responses"',
    "requires_openai_auth = false",
    "supports_websockets = false",
    ...options.trustedFolders.flatMap((folder) => ["", `[projects.${JSON.stringify(folder)}]`, 'trust_level = "trusted"']),
    "",
  ].join("\n");
}

/** What a manager may be permitted to do: the taxonomy, its names and aliases, and how grants are merged. Names only; nothing here acts. */
import { isObject } from "../json.ts";

/** Every action by category, both sorted. */
export const TAXONOMY = {
  communication: ["comment_on_pr", "notify_operator"],
  context: ["fetch_issues", "fetch_prs", "spawn_reviewer"],
  operator: ["answer", "land"],
  repo: ["merge_green_pr", "open_pr", "push_branch"],
  verification: ["run_cargo", "run_playwright", "run_pytest", "run_xcodebuild"],
  worker_session: ["clear", "compact", "interrupt", "stop"],
} as const;

type Category = keyof typeof TAXONOMY;
export const CATEGORIES = Object.keys(TAXONOMY) as Category[];

/** The granted actions of every category, sorted. */
export type Permissions = Readonly<Record<Category, readonly string[]>>;

const ALIASES: Readonly<Record<string, readonly string[]>> = {
  allow_pr: ["repo.open_pr"],
  create_pr: ["repo.open_pr"],
  allow_merge_green: ["repo.merge_green_pr"],
  merge_green_pr: ["repo.merge_green_pr"],
  allow_worker_compact_clear: ["worker_session.compact", "worker_session.clear"],
  worker_compact_clear: ["worker_session.compact", "worker_session.clear"],
};

const DOTTED = CATEGORIES.flatMap((category) => TAXONOMY[category].map((action) => `${category}.${action}`));

/** Every name that stands for a permission: `category.action`, then the aliases. */
export const PERMISSION_NAMES: readonly string[] = [...DOTTED, ...Object.keys(ALIASES)];

export const isCategory = (name: string): name is Category => Object.hasOwn(TAXONOMY, name);

/** The `category.action` names behind a name or alias, or null when it is unknown (a bare category or action is). */
export function permissionsNamed(name: string): readonly string[] | null {
  if (Object.hasOwn(ALIASES, name)) return ALIASES[name]!;
  return DOTTED.includes(name) ? [name] : null;
}

export const noPermissions = (): Permissions => asPermissions(new Set());

function asPermissions(granted: ReadonlySet<string>): Permissions {
  return Object.fromEntries(
    CATEGORIES.map((category) => [category, TAXONOMY[category].filter((action) => granted.has(`${category}.${action}`))]),
  ) as unknown as Permissions;
}

const grantedSet = (permissions: Permissions): Set<string> =>
  new Set(CATEGORIES.flatMap((category) => permissions[category].map((action) => `${category}.${action}`)));

/** Whether every action behind the name is granted; an unknown name never is. */
export function isGranted(permissions: Permissions, name: string): boolean {
  const behind = permissionsNamed(name);
  const granted = grantedSet(permissions);
  return behind !== null && behind.every((dotted) => granted.has(dotted));
}

/** The permissions with everything behind these names granted too. Unknown names grant nothing. */
export function grant(permissions: Permissions, names: readonly string[]): Permissions {
  return asPermissions(new Set([...grantedSet(permissions), ...names.flatMap((name) => permissionsNamed(name) ?? [])]));
}

/**
 * Applies `{category: [actions]}` (the category becomes exactly that) and `{name: truthy or falsy}` (grants or revokes), key by key in the
 * order given. Whatever is not known is left out and named in `warnings`.
 */
export function applyOverrides(
  permissions: Permissions,
  overrides: Readonly<Record<string, unknown>>,
): { permissions: Permissions; warnings: string[] } {
  const granted = grantedSet(permissions);
  const warnings: string[] = [];
  for (const [key, value] of Object.entries(overrides)) {
    const behind = permissionsNamed(key);
    if (isCategory(key)) {
      if (!Array.isArray(value)) {
        warnings.push(`${key}: expected a list of its actions (${TAXONOMY[key].join(", ")}), got ${JSON.stringify(value)}`);
        continue;
      }
      const known: readonly string[] = TAXONOMY[key];
      for (const action of known) granted.delete(`${key}.${action}`);
      for (const action of value) {
        if (known.includes(action)) granted.add(`${key}.${action}`);
        else warnings.push(`${key}: unknown action ${JSON.stringify(action)}; known are ${known.join(", ")}`);
      }
    } else if (behind) {
      for (const dotted of behind) {
        if (value) granted.add(dotted);
        else granted.delete(dotted);
      }
    } else warnings.push(`unknown permission ${JSON.stringify(key)}`);
  }
  return { permissions: asPermissions(granted), warnings };
}

/** Permissions as stored, in today's form or the flat one of older versions; what is not understood grants nothing. */
export const normalisePermissions = (stored: unknown): Permissions =>
  applyOverrides(noPermissions(), isObject(stored) ? stored : {}).permissions;

interface PermissionCheck {
  readonly allowed: boolean;
  /** `missing_manager_config` or `permission_not_enabled`, and `missing_worker_handoff` where one was asked for. */
  readonly reasons: readonly string[];
}

/** Whether a task whose configuration grants `permissions` (null: it has none) may do what `name` stands for. */
export function checkPermission(
  permissions: Permissions | null,
  name: string,
  handoff: { required: boolean; present: boolean },
): PermissionCheck {
  const reasons: string[] = [];
  if (permissions === null) reasons.push("missing_manager_config");
  else if (!isGranted(permissions, name)) reasons.push("permission_not_enabled");
  if (handoff.required && !handoff.present) reasons.push("missing_worker_handoff");
  return { allowed: reasons.length === 0, reasons };
}

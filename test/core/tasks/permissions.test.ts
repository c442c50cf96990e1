import { expect, test } from "bun:test";
import {
  applyOverrides,
  checkPermission,
  grant,
  isGranted,
  noPermissions,
  normalisePermissions,
  permissionsNamed,
} from "../../../src/core/tasks/permissions.ts";

const NONE = { communication: [], context: [], operator: [], repo: [], verification: [], worker_session: [] };

test("names are dotted or aliases; bare actions and categories are unknown", () => {
  expect(permissionsNamed("repo.open_pr")).toEqual(["repo.open_pr"]);
  expect(permissionsNamed("create_pr")).toEqual(["repo.open_pr"]);
  expect(permissionsNamed("worker_compact_clear")).toEqual(["worker_session.compact", "worker_session.clear"]);
  for (const unknown of ["open_pr", "repo", "repo.fly", "", "constructor", "__proto__", "toString"])
    expect(permissionsNamed(unknown)).toBeNull();
});

test("an alias of two actions needs both", () => {
  const one = grant(noPermissions(), ["worker_session.compact"]);
  expect(isGranted(one, "worker_compact_clear")).toBe(false);
  expect(isGranted(grant(one, ["worker_session.clear"]), "allow_worker_compact_clear")).toBe(true);
});

test("unknown names grant nothing", () => {
  expect(grant(noPermissions(), ["open_pr", "repo", "hasOwnProperty"])).toEqual(NONE);
  expect(isGranted(grant(noPermissions(), ["allow_pr"]), "fly")).toBe(false);
});

test("overrides go key by key in their order", () => {
  const start = grant(noPermissions(), ["repo.push_branch", "context.fetch_prs"]);
  expect(applyOverrides(start, { repo: ["open_pr"], allow_pr: false, "context.fetch_prs": 0 })).toEqual({
    permissions: NONE,
    warnings: [],
  });
  expect(applyOverrides(start, { allow_pr: false, repo: ["open_pr"] }).permissions.repo).toEqual(["open_pr"]);
});

test("what is not known is left out and named", () => {
  const { permissions, warnings } = applyOverrides(noPermissions(), {
    verification: ["run_pytest", "run_nonsense", 3],
    made_up: true,
    communication: "all",
    "repo.fly": true,
  });
  expect(permissions).toEqual({ ...NONE, verification: ["run_pytest"] });
  expect(warnings).toHaveLength(5);
  expect(warnings.join("\n")).toContain("run_nonsense");
});

test("flat permissions of older rows read as today's, broken ones as none", () => {
  expect(normalisePermissions({ allow_pr: true, allow_merge_green: false, allow_worker_compact_clear: 1 })).toEqual({
    ...NONE,
    repo: ["open_pr"],
    worker_session: ["clear", "compact"],
  });
  for (const broken of [null, [], "all", 7]) expect(normalisePermissions(broken)).toEqual(NONE);
});

test("a check names every reason", () => {
  const handoff = { required: true, present: false };
  expect(checkPermission(null, "allow_pr", handoff)).toEqual({
    allowed: false,
    reasons: ["missing_manager_config", "missing_worker_handoff"],
  });
  expect(checkPermission(noPermissions(), "allow_pr", { required: false, present: false }).reasons).toEqual(["permission_not_enabled"]);
  expect(checkPermission(grant(noPermissions(), ["allow_pr"]), "repo.open_pr", { required: true, present: true })).toEqual({
    allowed: true,
    reasons: [],
  });
});

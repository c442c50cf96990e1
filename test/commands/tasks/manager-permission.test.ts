import { afterEach, beforeEach, expect, test } from "bun:test";
import { World } from "../../harness.ts";

let w: World;
beforeEach(async () => {
  w = new World();
  await w.ok("tasks --create t1 --goal G");
  await w.ok("manager-config t1 --permit repo.open_pr");
});
afterEach(() => w.close());

test("a refusal that must hold says the next step for every reason", async () => {
  const { exit, stdout, stderr } = await w.run("manager-permission t1 worker_compact_clear --require --require-handoff");
  expect(exit).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({
    allowed: false,
    reasons: ["permission_not_enabled", "missing_worker_handoff"],
    config: { revision: 1 },
  });
  expect(stderr).toContain("manager-config t1 --permit worker_compact_clear");
  expect(stderr).toContain("handoff t1 --summary");
});

test("an unknown name is told with what is close to it", async () => {
  expect((await w.run("manager-permission t1 open_pr")).stderr).toContain("repo.open_pr");
  expect((await w.run("manager-permission t1 repo")).stderr).toContain("is a category");
  expect((await w.run("manager-permission t1 repo.open_pr --list")).stderr).toContain("takes a category");
  expect(w.rows("select 1 from events where type = 'manager_permission_checked'")).toEqual([]);
});

test("the event keeps the revision of the configuration, not the configuration", async () => {
  await w.ok("manager-permission t1 repo.open_pr");
  const { p } = w.rows<{ p: string }>("select payload_json as p from events where type = 'manager_permission_checked'")[0]!;
  expect(JSON.parse(p)).toMatchObject({ action: "repo.open_pr", allowed: true, config_revision: 1 });
  expect(JSON.parse(p)).not.toHaveProperty("config");
});

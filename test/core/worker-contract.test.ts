/** What a file-backed worker is told. */
import { expect, test } from "bun:test";
import { workerContract } from "../../src/core/compat/worker-contract.ts";

const contract = (path?: string) =>
  workerContract({
    program: "conveyor",
    name: "w1",
    cwd: "/p",
    task: "look",
    token: "workerctl-1",
    statusPath: "/s/w1/status.json",
    ...(path === undefined ? {} : { path }),
  });

test("its commands name the database only when it is not the usual one", () => {
  expect(contract()).toContain("conveyor update-status w1 --state STATE --current-task TEXT --next-action TEXT [--blocker TEXT]\n");
  const other = contract("/my db/x.db");
  expect(other).toContain("[--blocker TEXT] --path '/my db/x.db'\n");
  expect(other).toContain("worker-inbox TASK --consume-next --wait --timeout 60 --path '/my db/x.db' --json");
});

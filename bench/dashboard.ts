/** What the dashboard costs: `bench/dashboard.ts [IDLE_SECONDS] [PROGRAM …]`. 50 tasks, 20 sessions in tmux, one page in Chromium. */
import { readFileSync } from "node:fs";
import { createTask } from "../src/store/tasks/tasks.ts";
import { openTab, startBrowser } from "../test/dashboard/browser.ts";
import { Stage } from "../test/dashboard/stage.ts";
import { World } from "../test/harness.ts";
import { programOf } from "./program.ts";

const [seconds = "10", ...given] = process.argv.slice(2);
const program = programOf(given);
const idle = Number(seconds);
const PAIRS = 10;
const TASKS = 50;
const COMMITS = 40;
const STORM = 3000;

const w = new World();
w.realTime = true;
const stage = new Stage(w);

/** Milliseconds of processor time of a process and of the children it has waited for. */
function spent(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return [11, 12, 13, 14].reduce((sum, field) => sum + Number(fields[field]) * 10, 0);
}
const memory = (pid: number): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1024;

async function rest(what: string, pid: number): Promise<void> {
  await Bun.sleep(3000);
  const before = spent(pid);
  await Bun.sleep(idle * 1000);
  console.log(`${what.padEnd(44)} ${((spent(pid) - before) / (idle * 10)).toFixed(2).padStart(8)} % of a core`);
}

for (let i = 0; i < PAIRS; i++) {
  const { worker } = await stage.pair(`pair-${i}`, `Goal ${i}`);
  for (let turn = 0; turn < 20; turn++) stage.turn(worker, `t${turn}`, `message ${turn}`, 1000 * turn);
}
for (let i = PAIRS; i < TASKS; i++) await w.ok(["tasks", "--create", `task-${i}`, "--goal", "x"]);

const free = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
const port = String(free.port);
await free.stop(true);
const child = Bun.spawn([...program, "dashboard", "--port", port], { env: w.env, cwd: w.work, stdout: "pipe", stderr: "inherit" });
const browser = await startBrowser();
try {
  const url = new TextDecoder().decode((await child.stdout.getReader().read()).value).trim();
  const { page } = await openTab(browser, url);
  await page.waitForSelector(`.card:nth-child(${TASKS})`);
  await page.reload();
  const usable = await page.evaluate(
    `new Promise((done) => { const look = () => (document.querySelector(".card:nth-child(${TASKS})") ? requestAnimationFrame(() => done(performance.now())) : setTimeout(look, 2)); look(); })`,
  );
  console.log(
    `${"load to all tasks painted".padEnd(44)} ${Math.round(usable as number)
      .toString()
      .padStart(8)} ms`,
  );
  await rest("overview, nothing happens", child.pid);

  await page.evaluate(
    `window.seen = {}; new MutationObserver(() => { for (const { textContent: name } of document.querySelectorAll(".card h3 a")) if (name.startsWith("late-") && !window.seen[name]) { window.seen[name] = -1; requestAnimationFrame(() => setTimeout(() => { window.seen[name] = Date.now(); })); } }).observe(document.body, { subtree: true, childList: true })`,
  );
  const store = w.store();
  const committed = new Map<string, number>();
  for (let i = 0; i < COMMITS; i++) {
    createTask(store, { name: `late-${i}`, goal: "g" });
    committed.set(`late-${i}`, Date.now());
    await Bun.sleep(200);
  }
  const seen = (await page.evaluate("window.seen")) as Record<string, number>;
  const late = [...committed].map(([name, at]) => seen[name]! - at).sort((a, b) => a - b);
  console.log(
    `${"commit to paint, median, 90 %, longest".padEnd(44)} ${[late[COMMITS / 2], late[Math.floor(COMMITS * 0.9)], late.at(-1)].join("  ").padStart(8)} ms`,
  );

  const before = memory(child.pid);
  for (let i = 0; i < STORM; i++) {
    store.db.query("update tasks set goal = ? where name = 'task-20'").run(`goal ${i}`);
    if (i % 20 === 0) await Bun.sleep(20);
  }
  await Bun.sleep(1000);
  console.log(`${`memory before and after ${STORM} more commits`.padEnd(44)} ${before.toFixed(0)}  ${memory(child.pid).toFixed(0)} MB`);

  await page.getByRole("link", { name: "pair-3", exact: true }).last().click();
  await page.waitForSelector(".terminal.watching >> nth=1");
  await rest("a task with both terminals, nothing happens", child.pid);
} finally {
  await browser.close();
  child.kill("SIGTERM");
  await child.exited;
  w.close();
}

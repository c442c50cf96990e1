/** Requests to end: the first is heard, its echo through a wrapper is not a second one, and a person's second ends at once. */
import { afterEach, beforeEach, describe, expect, jest, type Mock, spyOn, test } from "bun:test";
import { join } from "node:path";
import { onStop } from "../../../src/system/processes/this-process.ts";
import { until } from "../../harness.ts";

const HOME = join(import.meta.dir, "..", "..", "..", "src", "system", "processes", "this-process.ts");
describe("in this process", () => {
  let kill: Mock<typeof process.kill>;
  let stops: number;
  let release: () => void;
  const listen = (options?: Parameters<typeof onStop>[1]) => (release = onStop(() => void stops++, options));
  const signal = (name: NodeJS.Signals) => void process.emit(name, name);
  const names = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  /** Of other tests, or of a browser of theirs: they are not meant. */
  const others = new Map<string, Function[]>();
  const listening = () => names.reduce((sum, name) => sum + process.listenerCount(name), 0);

  beforeEach(() => {
    stops = 0;
    for (const name of names) {
      others.set(name, process.listeners(name));
      process.removeAllListeners(name);
    }
    jest.useFakeTimers();
    kill = spyOn(process, "kill").mockImplementation(() => true);
  });
  afterEach(() => {
    release();
    jest.advanceTimersByTime(1000);
    jest.useRealTimers();
    kill.mockRestore();
    expect(listening()).toBe(0);
    for (const name of names) for (const each of others.get(name)!) process.on(name, each as NodeJS.SignalsListener);
  });

  test("the same signal again at once is the first one again, however often", () => {
    listen();
    for (let n = 0; n < 4; n++) signal("SIGINT");
    jest.advanceTimersByTime(100);
    signal("SIGINT");
    expect([stops, kill.mock.calls.length]).toEqual([1, 0]);
  });

  test("the same signal later ends the process by it, and nobody listens any more", () => {
    listen();
    signal("SIGINT");
    signal("SIGINT");
    jest.advanceTimersByTime(200);
    signal("SIGINT");
    expect(kill.mock.calls).toEqual([[process.pid, "SIGINT"]]);
    expect([stops, listening()]).toEqual([1, 0]);
  });

  test("another signal is a second request, also at once", () => {
    listen();
    signal("SIGINT");
    signal("SIGTERM");
    expect(kill.mock.calls).toEqual([[process.pid, "SIGTERM"]]);
  });

  test("an echo that comes after the end of the work does not end the process in its last words", () => {
    listen();
    signal("SIGHUP");
    release();
    // Without a listener it would.
    expect(process.listenerCount("SIGHUP")).toBe(1);
    signal("SIGHUP");
    expect([stops, kill.mock.calls.length]).toEqual([1, 0]);
    jest.advanceTimersByTime(200);
    expect(listening()).toBe(0);
  });

  test("who was never asked leaves no listener behind", () => {
    listen();
    release();
    expect(listening()).toBe(0);
  });

  test("the patient hear nothing further until they are done", () => {
    listen({ patient: true });
    signal("SIGINT");
    jest.advanceTimersByTime(200);
    signal("SIGINT");
    signal("SIGTERM");
    expect([stops, kill.mock.calls.length]).toEqual([1, 0]);
    release();
    expect(listening()).toBe(0);
  });
});

test("a real process outlives an echo that waited while it was busy, and not the next request", async () => {
  const asked = 'process.kill(process.pid, "SIGINT"); Bun.sleepSync(400); setTimeout(() => console.log("lives"), 1);';
  const script = `import { onStop } from ${JSON.stringify(HOME)}; onStop(() => { ${asked} }); setInterval(() => {}, 1000); console.log("up");`;
  const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", stderr: "inherit" });
  const said = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  expect((await said.read()).value).toBe("up\n");
  child.kill("SIGINT");
  expect((await said.read()).value).toBe("lives\n");
  await until("its end", () => {
    child.kill("SIGINT");
    return child.signalCode !== null || child.exitCode !== null;
  });
  expect(child.signalCode).toBe("SIGINT");
});

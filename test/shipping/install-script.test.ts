import { afterAll, beforeAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { targets } from "../../build.ts";

const base = mkdtempSync(join(tmpdir(), "conveyor-install-"));
const release = join(base, "release");
const home = join(base, "home");
const script = join(release, "install.sh");
const mine = targets.find((t) => t.os === process.platform && t.cpu === process.arch && t.libc !== "musl")!.name;

function sums(): void {
  const lines = targets.map(
    ({ name }) =>
      `${createHash("sha256")
        .update(readFileSync(join(release, name, "conveyor")))
        .digest("hex")}  ${name}/conveyor\n`,
  );
  const manual = createHash("sha256")
    .update(readFileSync(join(release, "conveyor.1")))
    .digest("hex");
  writeFileSync(join(release, "SHA256SUMS"), `${lines.join("")}${manual}  conveyor.1\n`);
}

beforeAll(() => {
  mkdirSync(home);
  for (const { name } of targets) {
    mkdirSync(join(release, name), { recursive: true });
    writeFileSync(join(release, name, "conveyor"), `#!/bin/sh\necho "1.2.3 for ${name}"\n`);
  }
  cpSync(join(import.meta.dir, "..", "..", "scripts", "install.sh"), script);
  writeFileSync(join(release, "conveyor.1"), ".TH CONVEYOR 1\n");
  sums();
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

async function install(words: string[] = [], env: Record<string, string> = {}) {
  const child = Bun.spawn(["sh", script, ...words], {
    env: { PATH: "/usr/bin:/bin", HOME: home, TMPDIR: base, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { exit: await child.exited, stdout, stderr };
}
const nothingLeft = () => expect(readdirSync(base).sort()).toEqual(["home", "release"]);

test("from the folder it lies in to ~/.local/bin, both names, and what to add to PATH", async () => {
  const done = await install();
  expect(done).toMatchObject({ exit: 0, stderr: "" });
  const bin = join(home, ".local", "bin");
  expect(done.stdout).toContain(`1.2.3 for ${mine}`);
  expect(done.stdout).toContain(`export PATH="${bin}:$PATH"`);
  expect(statSync(join(bin, "conveyor")).mode & 0o777).toBe(0o755);
  expect(readlinkSync(join(bin, "workerctl"))).toBe("conveyor");
  expect((await install([], { PATH: `${bin}:/usr/bin:/bin` })).stdout.trim().split("\n")).toHaveLength(1);
  expect((await install([], { SHELL: "/usr/bin/fish" })).stdout).toContain(`fish_add_path ${bin}`);
  expect(readdirSync(bin).sort()).toEqual(["conveyor", "workerctl"]);
  expect(readdirSync(join(home, ".local", "share", "man", "man1")).sort()).toEqual(["conveyor.1", "workerctl.1"]);
  nothingLeft();
});

test("from a server on this machine to a prefix with blanks in its name", async () => {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const file = Bun.file(join(release, new URL(request.url).pathname));
      return (await file.exists()) ? new Response(file) : new Response("no such file", { status: 404 });
    },
  });
  try {
    const prefix = join(home, "my apps");
    expect((await install(["--from", server.url.href, "--prefix", prefix])).exit).toBe(0);
    expect(Bun.spawnSync([join(prefix, "bin", "workerctl")]).stdout.toString()).toBe(`1.2.3 for ${mine}\n`);
    const missing = await install(["--from", `${server.url.href}nowhere`, "--prefix", prefix]);
    expect(missing.exit).toBe(1);
    expect(missing.stderr).toContain("SHA256SUMS could not be had");
  } finally {
    await server.stop(true);
  }
  nothingLeft();
});

test("an unencrypted server elsewhere is refused", async () => {
  const done = await install(["--from", "http://192.0.2.1/conveyor"]);
  expect(done.exit).toBe(1);
  expect(done.stderr).toContain("not encrypted");
});

test("a file that is not the one in SHA256SUMS is not installed, and one that does not start neither", async () => {
  const prefix = join(home, "untouched");
  const file = join(release, mine, "conveyor");
  const good = readFileSync(file);
  writeFileSync(file, `${good}\necho tampered\n`);
  const tampered = await install(["--prefix", prefix]);
  expect(tampered.exit).toBe(1);
  expect(tampered.stderr).toContain("nothing was installed");
  expect(existsSync(prefix)).toBe(false);

  writeFileSync(file, "#!/bin/sh\nexit 3\n");
  sums();
  const broken = await install(["--prefix", prefix]);
  expect(broken.exit).toBe(1);
  expect(broken.stderr).toContain("does not start");
  expect(readdirSync(join(prefix, "bin"))).toEqual([]);
  writeFileSync(file, good);
  sums();
  nothingLeft();
});

test("usage", async () => {
  expect((await install(["--help"])).stdout).toStartWith("usage: sh install.sh");
  for (const words of [["--prefix"], ["--nope"], ["word"]]) expect((await install(words)).exit).toBe(2);
});

/** Messages that are nothing but the path of something that is there: they stay text, word for word, and become no attachment. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { deflateSync } from "node:zlib";
import { CodexSuiteWorld } from "../../agent-suite/codex-world.ts";
import { Hands } from "../../codex-hands.ts";

const world = new CodexSuiteWorld("tmux");
const hands = new Hands(world, "codex-w");
let thread = "";
afterAll(() => world.close());

/** One black dot. */
function png(): Buffer {
  const chunk = (type: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const ends = Buffer.alloc(8);
    ends.writeUInt32BE(data.length, 0);
    ends.writeUInt32BE(Bun.hash.crc32(body), 4);
    return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
  };
  const head = Buffer.from([0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]),
    chunk("IHDR", head),
    chunk("IDAT", deflateSync(Buffer.from([0, 0]))),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

const at = (name: string): string => join(world.project, name);
const long = `${Array.from({ length: 12 }, (_, n) => `${"d".repeat(90)}${n}`).join("/")}/x.png`;
const files = ["x.png", "with a blank.png", "it's.png", "x.jpg", "x.webp", "x.gif", "x.PNG", "žluť.png", long];

beforeAll(async () => {
  for (const path of [...files.map(at), join(world.env.HOME!, "x.png")]) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, png());
  }
  mkdirSync(at("folder.png"));
  thread = (await world.ok(["start-worker", "--name", "w", "--cwd", world.project, "--timeout-seconds", "40"])).codex_session_id;
  await world.idle(thread);
}, 60_000);

const messages: Readonly<Record<string, () => string>> = {
  absolute: () => at("x.png"),
  relative: () => "x.png",
  "with a dot in front": () => "./x.png",
  "with a blank": () => at("with a blank.png"),
  "with a blank, escaped": () => at("with\\ a\\ blank.png"),
  "with a blank, in single quotes": () => `'${at("with a blank.png")}'`,
  "with a blank, in double quotes": () => `"${at("with a blank.png")}"`,
  "with a quote, escaped": () => at("it\\'s.png"),
  "an address": () => `file://${at("x.png")}`,
  "an address with a blank": () => `file://${at("with%20a%20blank.png")}`,
  "an address whose dot is written as a number": () => `file://${at("x%2Epng")}`,
  "two of them": () => `${at("x.png")} ${at("x.jpg")}`,
  "two lines": () => `${at("x.png")}\n${at("x.jpg")}`,
  "below the home": () => "~/x.png",
  "a jpg": () => at("x.jpg"),
  "a webp": () => at("x.webp"),
  "a gif": () => at("x.gif"),
  "capital letters": () => at("x.PNG"),
  "not ASCII": () => at("žluť.png"),
  "a folder": () => at("folder.png"),
  "with a line end behind it": () => `${at("x.png")}\n`,
  "over a thousand characters": () => at(long),
};

for (const [name, message] of Object.entries(messages))
  test(
    name,
    async () => {
      const before = world.userTexts(thread).length;
      const text = message();
      expect(await world.ok(["session-nudge", "w", "--", text])).toMatchObject({ proof: "seen", transport: "tmux" });
      expect((await world.saidTo(thread, before + 1)).slice(before).map((said) => said.trim())).toEqual([text.trim()]);
      await world.idle(thread);
      await hands.rest();
      expect(await hands.text()).not.toContain("[Image #");
    },
    60_000,
  );

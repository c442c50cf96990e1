/** `verify` and archives that programs would unpack differently: each kind made byte by byte, from an export that is good. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync } from "fflate";
import { World } from "../../harness.ts";
import { archive, byStream, byTable, descriptorOf, type Ends, type Member, numbers } from "./archives.ts";

let w: World;
let out: string;
let members: Member[];
beforeAll(async () => {
  w = new World();
  await w.ok("tasks --create job --goal g");
  await w.ok("criteria job --add --criterion A --source user_requested");
  out = join(w.dir, "out");
  const { manifest } = await w.ok(`export-task job --output ${out} --zip --include-full-transcripts`);
  members = [...manifest.files, "manifest.json"].map((name) => ({ name, data: readFileSync(join(out, name)) }));
});
afterAll(() => w.close());

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const FORGED = bytes("[]\n");
const forged = (name: string, more: Partial<Member> = {}): Member => ({ name, data: FORGED, ...more });
/** The members, one of them otherwise. */
const but = (name: string, change: Partial<Member>): Member[] =>
  members.map((member) => (member.name === name ? { ...member, ...change } : member));
const dataOf = (name: string): Uint8Array => members.find((member) => member.name === name)!.data;
const around = (at: number, ...more: Member[]): Member[] => members.toSpliced(at, 0, ...more);

function tried(read: (archived: Uint8Array) => unknown, archived: Uint8Array): unknown {
  try {
    return read(archived);
  } catch (error) {
    return error;
  }
}

async function verify(archived: Uint8Array) {
  const path = join(w.dir, "made.zip");
  writeFileSync(path, archived);
  return w.run(`verify ${path} --json`);
}

async function refused(archived: Uint8Array, words: string) {
  const done = await verify(archived);
  expect(done).toMatchObject({ exit: 1, stdout: "" });
  expect(done.stderr).toContain(words);
  expect(done.stderr.trim().split("\n").length).toBeLessThanOrEqual(2);
}

const UTF8_NAME = bytes("Audit.json");
const utf8Name = Buffer.concat([
  numbers([0x7075, 2], [5 + UTF8_NAME.length, 2]),
  Buffer.of(1),
  numbers([Bun.hash.crc32(bytes("audit.json")), 4]),
  UTF8_NAME,
]);
const large = (...sizes: number[]): Buffer =>
  Buffer.concat([numbers([1, 2], [sizes.length * 8, 2]), ...sizes.map((size) => numbers([size, 4], [0, 4]))]);
const another = (): Buffer => archive([forged("audit.json")]);

describe("good", () => {
  test("what export-task packs, what another program packs alike, and what is stored", async () => {
    for (const archived of [
      readFileSync(`${out}.zip`),
      archive(members),
      archive(members.map((member) => ({ ...member, both: { flags: 8 } }))),
      archive(
        members.map((member) => ({
          ...member,
          both: { flags: 8 },
          local: { crc: Bun.hash.crc32(member.data), packed: deflateSync(member.data).length, size: member.data.length },
        })),
      ),
      archive(members.map((member) => ({ ...member, both: { method: 0, version: 10 } }))),
      archive(
        members.map((member) => ({ ...member, raw: deflateSync(member.data, { level: 0 }), central: { attributes: 0o100644 * 0x10000 } })),
      ),
      archive(members.toReversed()),
    ]) {
      expect(byStream(archived)).toEqual(byTable(archived));
      expect((await verify(archived)).json()).toMatchObject({ ok: true, kind: "archive", files: 24, rows_checked: 3 });
    }
  });
});

describe("the two kinds of readers unpack it differently", () => {
  const kinds: Record<string, [() => Buffer, string]> = {
    "a hidden member before the others": [() => archive(around(0, forged("audit.json", { hidden: true }))), "ends at byte 0"],
    "a hidden member between": [() => archive(around(5, forged("audit.json", { hidden: true }))), "what is before it ends at"],
    "a hidden member behind": [() => archive(around(members.length, forged("audit.json", { hidden: true }))), "the last member ends at"],
    "a hidden member of a new name": [() => archive(around(3, forged("run.sh", { hidden: true }))), "what is before it ends at"],
    "another name before the member": [() => archive(but("audit.json", { local: { name: "AUDIT.json" } })), "something else of"],
    "another name of another length": [() => archive(but("audit.json", { local: { name: "../audit.json" } })), "something else of"],
    "two members of one name": [() => archive(around(0, forged("audit.json"))), "take each other's place"],
    "a member that only the table has": [
      () => archive(around(members.length, forged("audit2.json", { ghost: true, central: { at: 0 } }))),
      "ends at byte",
    ],
    "a second archive before the end, in its own table's place": [
      () => archive(members, { beforeTable: another().subarray(0, -22) }),
      "the last member ends at",
    ],
    "a member behind the packed data of another, inside its length": [
      () => {
        const data = dataOf("audit.json");
        const packed = deflateSync(data);
        const inner = archive([{ name: "audit.json", data: FORGED }]);
        const first = descriptorOf({ crc: Bun.hash.crc32(data), packed: packed.length, size: data.length });
        const raw = Buffer.concat([packed, first, inner.subarray(0, 30 + 10 + deflateSync(FORGED).length)]);
        return archive(but("audit.json", { raw, both: { flags: 8 } }));
      },
      "audit.json",
    ],
  };
  for (const [title, [made, words]] of Object.entries(kinds))
    test(title, async () => {
      const archived = made();
      expect(Bun.deepEquals(tried(byStream, archived), tried(byTable, archived))).toBe(false);
      const done = await verify(archived);
      expect(done.exit).toBe(1);
      expect(done.stdout + done.stderr).toContain(words);
    });
});

describe("described twice and not alike", () => {
  const other: [string, Partial<Member>][] = [
    ["version", { local: { version: 10 } }],
    ["flags", { local: { flags: 2 } }],
    ["a flag for a descriptor that is not there", { local: { flags: 8 } }],
    ["a descriptor that no flag tells of", { descriptor: descriptorOf({ crc: 0, packed: 0, size: 0 }) }],
    ["method", { local: { method: 0 } }],
    ["time", { local: { time: 0x210001 } }],
    ["checksum", { local: { crc: 1 } }],
    ["packed size", { local: { packed: 1 } }],
    ["size", { local: { size: 1 } }],
    ["zero for what is known before", { local: { crc: 0, packed: 0, size: 0 } }],
    ["one of three behind", { both: { flags: 8 }, local: { size: 1 } }],
    ["a longer name", { local: { name: "audit.json2" } }],
    ["an extra field of one side", { local: { extra: utf8Name } }],
    ["a descriptor of another checksum", { both: { flags: 8 }, descriptor: descriptorOf({ crc: 1, packed: 2, size: 3 }) }],
  ];
  for (const [title, change] of other)
    test(title, async () => {
      const done = await verify(archive(but("audit.json", change)));
      expect(done).toMatchObject({ exit: 1, stdout: "" });
      expect(done.stderr).toMatch(/would unpack it differently.*\n?hint: unpack it and verify the directory/);
    });

  test("a descriptor without signature, or for large files", async () => {
    const data = dataOf("audit.json");
    const usual = descriptorOf({ crc: Bun.hash.crc32(data), packed: deflateSync(data).length, size: data.length });
    for (const descriptor of [
      usual.subarray(4),
      Buffer.concat([usual.subarray(0, 12), numbers([0, 4]), usual.subarray(12), numbers([0, 4])]),
    ])
      await refused(archive(but("audit.json", { both: { flags: 8 }, descriptor })), "differently");
  });
});

describe("more than members, table and end", () => {
  const ends: [string, Ends, string][] = [
    ["bytes before the table", { beforeTable: FORGED }, "the last member ends at"],
    ["bytes between table and end", { afterTable: FORGED }, "does not reach"],
    ["a comment", { comment: bytes("made by hand") }, "behind its end"],
    ["an archive as comment", { comment: another() }, "does not reach"],
    ["an archive behind the end", { tail: another() }, "does not reach"],
    ["bytes behind the end", { tail: FORGED }, "behind its end"],
    ["a comment that is not there", { end: { commentLength: 5 } }, "a comment"],
    ["two ends", { afterTable: archive([]) }, "does not reach"],
    ["a table that is longer", { afterTable: FORGED, end: { length: 0 } }, "does not reach"],
    ["fewer members than the table has", { end: { count: 3, here: 3 } }, "more than its end record counts"],
    ["more members than the table has", { end: { count: 99, here: 99 } }, "cannot be read"],
    ["parts on other disks", { end: { disk: 1 } }, "several parts"],
    ["members on other disks", { end: { here: 1 } }, "several parts"],
    ["the form for large archives", { end: { count: 0xffff, here: 0xffff, length: 0xffffffff, at: 0xffffffff } }, "takes 4294967295 bytes"],
    ["the locator of that form", { afterTable: numbers([0x07064b50, 4], [0, 4], [0, 4], [0, 4], [1, 4]) }, "does not reach"],
  ];
  for (const [title, end, words] of ends) test(title, () => refused(archive(members, end), words));

  test("a program before the first member, counted or not", async () => {
    const stub = bytes("#!/bin/sh\nexit 0\n");
    await refused(Buffer.concat([stub, archive(members)]), "does not reach");
    await refused(
      archive(
        members.map((member, n) => (n === 0 ? { ...member, before: stub } : member)),
        {},
      ),
      "ends at byte",
    );
  });

  test("members that share bytes", async () => {
    const [first, second] = members as [Member, Member];
    await refused(archive([first, { ...second, central: { at: 0 } }, ...members.slice(2)]), "what is before it ends at");
    await refused(archive([first, { ...second, central: { at: 1 } }, ...members.slice(2)]), "what is before it ends at");
  });
});

describe("members that are not plain files of plain names", () => {
  const names = [
    "",
    "/audit.json",
    "../audit.json",
    "a/../../b",
    "a//b",
    "./audit.json",
    "a/.",
    "a/",
    "..\\audit.json",
    "a\\b",
    "C:audit.json",
    "C:/a",
    "audit.json\0.sh",
    "audit\n.json",
    "\x1b[2J",
    "audit.json.",
    "audit.json ",
    ".profile",
    "a/.ssh",
    "au\u0308dit.json",
    "\u202ejson",
  ];
  test.each(names)("the name %j", async (name) => {
    await refused(archive(around(1, forged(name))), "holds a member of the name");
    await refused(archive(around(1, forged(name, { both: { flags: 0x800 } }))), "holds a member of the name");
  });

  const forms: [string, Partial<Member>, string][] = [
    ["encrypted", { both: { flags: 1 } }, "not every program"],
    ["strongly encrypted", { both: { flags: 0x41 } }, "not every program"],
    ["patched", { both: { flags: 0x20 } }, "not every program"],
    ["another method", { both: { method: 12 }, raw: FORGED }, "not every program"],
    ["a later version", { both: { version: 45 } }, "not every program"],
    ["on another disk", { central: { disk: 1 } }, "not every program"],
    ["a link", { central: { attributes: 0o120777 * 0x10000 } }, "plain file"],
    ["a folder with data", { central: { attributes: 0o040755 * 0x10000 } }, "plain file"],
    ["a device", { central: { attributes: 0o020666 * 0x10000 } }, "plain file"],
    ["a folder of DOS", { central: { attributes: 0x10 } }, "plain file"],
    ["another name in an extra field", { both: { extra: utf8Name } }, "says more about"],
    ["sizes in an extra field", { both: { extra: large(1, 2) } }, "says more about"],
    ["sizes of large files", { both: { packed: 0xffffffff, size: 0xffffffff, extra: large(1, 2) } }, "says more about"],
    ["a comment", { central: { comment: bytes("x") } }, "says more about"],
    ["stored without an end", { both: { method: 0, flags: 8 } }, "nothing tells where"],
    ["stored with two sizes", { both: { method: 0, size: 1 } }, "nothing tells where"],
  ];
  test.each(forms)("%s", (_, change, words) => refused(archive(but("audit.json", change)), words));

  test.each(["Audit.json", "AUDIT.JSON", "audit.json/x", "Transcripts"])("a name that takes the place of another: %s", (name) =>
    refused(archive(around(1, forged(name))), "take each other's place"),
  );

  test("a further file is named, since it does no harm", async () => {
    const done = await verify(archive(around(1, forged("mine.txt"))));
    expect(done).toMatchObject({ exit: 1 });
    expect(done.json().problems).toEqual([expect.objectContaining({ kind: "unlisted", file: "mine.txt" })]);
  });
});

describe("data", () => {
  const changed = async (change: Partial<Member>, words: string) => {
    const done = await verify(archive(but("audit.json", change)));
    expect(done.exit).toBe(1);
    expect(done.json().problems[0]).toMatchObject({ kind: "changed", file: "audit.json", message: expect.stringContaining(words) });
  };

  test("checksum and size must be those of the data", async () => {
    await changed({ both: { crc: 1 } }, "is not what was packed");
    await changed({ both: { size: dataOf("audit.json").length + 1 } }, "is not what was packed");
    await changed({ both: { size: 10 } }, "is not what was packed");
    await changed({ both: { method: 0, crc: 1 } }, "is not what was packed");
  });

  test("packed data must be as long as it is said to be, whatever its last bits are", async () => {
    for (const level of [0, 1, 6, 9] as const)
      for (let length = 0; length < 12; length++) {
        const data = bytes(
          JSON.stringify({ a: "xyzxyz".repeat(3) })
            .repeat(600)
            .slice(0, 16_380 + length * (level || 1) * 31),
        );
        const raw = deflateSync(data, { level });
        const made = (packed: Uint8Array) => archive(but("audit.json", { data, raw: packed }));
        // No export any more, but whole: only what it holds is found fault with.
        expect((await verify(made(raw))).json().problems[0].message).toMatch(/not the size it had|not what was exported/);
        for (const bad of [Buffer.concat([raw, Buffer.of(0)]), Buffer.concat([raw, FORGED]), raw.subarray(0, -1)])
          expect((await verify(made(bad))).json().problems[0].message).toContain("cannot be unpacked");
      }
  }, 60_000);

  test("nothing that is packed is nothing, and so is one byte", async () => {
    for (const raw of [new Uint8Array(), Buffer.of(3)]) await changed({ data: new Uint8Array(), raw }, "cannot be unpacked");
  });
});

test("an archive that was cut off anywhere is refused", async () => {
  const whole = archive(members);
  const path = join(w.dir, "cut.zip");
  writeFileSync(path, whole);
  for (let length = whole.length - 1; length > 0; length -= length > whole.length - 60 ? 1 : 997) {
    truncateSync(path, length);
    const done = await w.run(`verify ${path} --json`);
    expect(done).toMatchObject({ exit: 1, stdout: "" });
    expect(done.stderr).toContain("cut.zip");
  }
});

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { inspect } from "../../scripts/executable.ts";
import { signAdHoc } from "../../scripts/sign.ts";

/** A small Mach-O: header, __TEXT, __LINKEDIT that ends with a signature of another file, and the command that points to it. */
function machO(cpu: number): Buffer {
  const content = 3 * 4096 + 100;
  const file = Buffer.alloc(content + 64, 7);
  file.fill(0, 0, 256);
  for (const [i, word] of [0xfeedfacf, cpu, 0, 2, 3, 72 + 72 + 16].entries()) file.writeUInt32LE(word, i * 4);
  const segment = (at: number, name: string, offset: number, size: number): void => {
    file.writeUInt32LE(0x19, at);
    file.writeUInt32LE(72, at + 4);
    file.write(name, at + 8);
    file.writeBigUInt64LE(BigInt(offset), at + 40);
    file.writeBigUInt64LE(BigInt(size), at + 48);
  };
  segment(32, "__TEXT", 0, 8192);
  segment(104, "__LINKEDIT", 8192, file.length - 8192);
  for (const [i, word] of [0x1d, 16, content, 64].entries()) file.writeUInt32LE(word, 176 + i * 4);
  return file;
}

test.each([
  [0x01000007, "x64"],
  [0x0100000c, "arm64"],
] as const)("a signed Mach-O holds; one changed byte breaks it (%i)", (code, cpu) => {
  const signed = signAdHoc(machO(code), "conveyor");
  expect(inspect(signed)).toEqual({
    os: "darwin",
    cpu,
    libc: null,
    signature: { identifier: "conveyor", adhoc: true, pages: 4, intact: true },
  });
  // What __LINKEDIT and the command say ends exactly where the file ends.
  expect(signed.readBigUInt64LE(104 + 40) + signed.readBigUInt64LE(104 + 48)).toBe(BigInt(signed.length));
  expect(signed.readUInt32LE(184) + signed.readUInt32LE(188)).toBe(signed.length);
  signed[5000]! ^= 1;
  expect(inspect(signed).signature!.intact).toBe(false);
  signed[5000]! ^= 1;
  expect(signAdHoc(signed, "conveyor")).toEqual(signed);
});

test("an ELF is told by its machine and loader; anything else is refused", () => {
  const here = inspect(readFileSync(process.execPath));
  expect(here).toMatchObject({ os: process.platform, cpu: process.arch });
  expect(() => inspect(Buffer.from("#!/bin/sh\nexit 0\n"))).toThrow("neither");
});

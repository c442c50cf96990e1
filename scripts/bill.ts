/** What is inside a binary: its packages as a CycloneDX bill of materials, and their licences as one text. Nothing in it depends on when or where it is made. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { bunVersion, root } from "../build.ts";

interface Part {
  name: string;
  version: string;
  license: string;
  text: string;
  integrity?: string;
}

const read = (...path: string[]): string => readFileSync(join(root, ...path), "utf8");

/** The packages that the bundler took files from, in order of name. @param inputs paths of its metafile */
export function packagesOf(inputs: readonly string[]): string[] {
  return [...new Set(inputs.flatMap((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []))].sort();
}

/** Paths of what the browser's page is made of: it stands in the binary as finished text, of whose origin the compiler says nothing. */
export async function pageInputs(): Promise<string[]> {
  const { metafile } = await Bun.build({
    entrypoints: [join(root, "src", "dashboard", "page", "page.tsx")],
    target: "browser",
    splitting: true,
    metafile: true,
    jsx: { runtime: "automatic", importSource: "preact" },
  });
  return Object.keys(metafile!.inputs);
}

function partOf(name: string): Part {
  const { version, license } = JSON.parse(read("node_modules", name, "package.json")) as { version: string; license: string };
  const file = readdirSync(join(root, "node_modules", name)).find((entry) => /^licen[cs]e/i.test(entry));
  if (!file) throw new Error(`${name} carries no licence text, and is part of the binary`);
  const lock = JSON.parse(read("package-lock.json")) as { packages: Record<string, { integrity?: string }> };
  return {
    name,
    version,
    license,
    text: read("node_modules", name, file).trim(),
    integrity: lock.packages[`node_modules/${name}`]?.integrity,
  };
}

/** Bun's own page about its licence and what it links, as its documentation of the pinned version has it. */
const bunLicence = (): string =>
  read("node_modules", "bun-types", "docs", "project", "license.mdx")
    .replace(/^---[\s\S]*?---\s*/, "")
    .trim();

/** `THIRD-PARTY-LICENSES`: the runtime first, then each package with its own text. */
export function licences(packages: readonly string[]): string {
  const rule = "=".repeat(79);
  const parts = packages
    .map(partOf)
    .map(({ name, version, license, text }) => `${rule}\n${name} ${version} (${license})\n${rule}\n\n${text}\n`);
  return `The binaries contain the software below. Conveyor itself is under the MIT licence (LICENSE).\n\n${rule}\nBun ${bunVersion}\n${rule}\n\n${bunLicence()}\n\n${parts.join("\n")}`;
}

const hexOf = (integrity: string): string => Buffer.from(integrity.replace(/^sha512-/, ""), "base64").toString("hex");

/** The bill of materials of a release; its serial number follows from its content. */
export function bill(version: string, packages: readonly string[], hashes: Readonly<Record<string, string>>): string {
  const components = [
    {
      type: "platform",
      "bom-ref": `pkg:npm/bun@${bunVersion}`,
      name: "bun",
      version: bunVersion,
      purl: `pkg:npm/bun@${bunVersion}`,
      licenses: [{ license: { id: "MIT" } }],
    },
    ...packages.map(partOf).map(({ name, version: at, license, integrity }) => ({
      type: "library",
      "bom-ref": `pkg:npm/${name.replace("@", "%40")}@${at}`,
      name,
      version: at,
      purl: `pkg:npm/${name.replace("@", "%40")}@${at}`,
      licenses: [{ license: { id: license } }],
      ...(integrity && { hashes: [{ alg: "SHA-512", content: hexOf(integrity) }] }),
    })),
    ...Object.entries(hashes).map(([name, content]) => ({ type: "file", "bom-ref": name, name, hashes: [{ alg: "SHA-256", content }] })),
  ];
  const ref = `pkg:npm/agent-conveyor@${version}`;
  const content = {
    metadata: {
      component: {
        type: "application",
        "bom-ref": ref,
        name: "agent-conveyor",
        version,
        purl: ref,
        licenses: [{ license: { id: "MIT" } }],
      },
    },
    components,
    dependencies: [{ ref, dependsOn: components.map((component) => component["bom-ref"]) }],
  };
  const digest = createHash("sha256").update(JSON.stringify(content)).digest("hex");
  const serial = [
    digest.slice(0, 8),
    digest.slice(8, 12),
    `8${digest.slice(13, 16)}`,
    `a${digest.slice(17, 20)}`,
    digest.slice(20, 32),
  ].join("-");
  return `${JSON.stringify({ $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json", bomFormat: "CycloneDX", specVersion: "1.6", serialNumber: `urn:uuid:${serial}`, version: 1, ...content }, null, 2)}\n`;
}

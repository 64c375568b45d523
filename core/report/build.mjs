// Makes the report's page of its sources: `node build.mjs MODULES PAGE`, where MODULES is the
// node_modules that package-lock.json asks for.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const [modules, page] = process.argv.slice(2).map((path) => resolve(path));
const here = dirname(fileURLToPath(import.meta.url));
const esbuild = createRequire(join(modules, "any.js"))("esbuild");

const bundled = await esbuild.build({
  absWorkingDir: here,
  bundle: true,
  charset: "utf8",
  entryPoints: ["src/main.ts"],
  format: "iife",
  legalComments: "none",
  metafile: true,
  minify: true,
  nodePaths: [modules],
  target: ["chrome103", "firefox113", "safari16.4"],
  write: false,
});
const script = bundled.outputFiles[0].text;
const styled = await esbuild.build({
  absWorkingDir: here,
  bundle: true,
  charset: "utf8",
  entryPoints: ["src/style.css"],
  minify: true,
  write: false,
});
const style = styled.outputFiles[0].text;

/** The licences of the packages that are in the bundle. */
function licences() {
  const names = new Set();
  for (const input of Object.keys(bundled.metafile.inputs)) {
    const found = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(`/${input}`);
    if (found) names.add(found[1]);
  }
  return [...names].sort().map((name) => {
    const directory = join(modules, name);
    const { version } = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
    const file = readdirSync(directory).find((entry) => /^licen[cs]e/i.test(entry));
    if (!file) throw new Error(`${name} has no licence file`);
    return `${name} ${version}\n\n${readFileSync(join(directory, file), "utf8").trim()}\n`;
  });
}

const escaped = (text) =>
  text.replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]);
const digest = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

// Nothing is loaded, and nothing runs but this script: not what a name in the data might say.
const policy = [
  "default-src 'none'",
  `script-src ${digest(script)}`,
  `style-src ${digest(style)}`,
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

const parts = { policy: escaped(policy), style, script, licences: escaped(licences().join("\n\n")) };
const template = readFileSync(join(here, "src/page.html"), "utf8");
writeFileSync(
  page,
  template.replace(/<!--(policy|style|script|licences)-->/g, (_, name) => parts[name]),
);

// Checks the types of the sources: `node check.mjs DIRECTORY`, where DIRECTORY has node_modules.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const directory = resolve(process.argv[2]);
const settings = join(directory, "tsconfig.json");
writeFileSync(
  settings,
  JSON.stringify({
    extends: join(here, "tsconfig.json"),
    compilerOptions: { paths: { "*": ["./node_modules/@types/*", "./node_modules/*"] } },
    include: [join(here, "src")],
  }),
);
const checked = spawnSync(
  process.execPath,
  [join(directory, "node_modules/typescript/bin/tsc"), "--project", settings],
  { stdio: "inherit" },
);
process.exit(checked.status ?? 1);

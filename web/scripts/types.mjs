// Writes src/api/schema.d.ts from the admin API of this tree. It is not committed, so it cannot be out of step.
import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const made = here("../src/api/schema.d.ts");
const ours = here("../../.venv/bin/python");
const python = existsSync(ours) ? ours : (process.env.PYTHON ?? "python3");
const document = JSON.parse(
  execFileSync(python, [here("openapi.py")], { maxBuffer: 1 << 26, encoding: "utf8", stdio: ["ignore", "pipe", 2] }),
);
writeFileSync(
  made,
  `// Made by \`npm run types\` from the admin API. Do not edit.\n${astToString(await openapiTS(document))}`,
);

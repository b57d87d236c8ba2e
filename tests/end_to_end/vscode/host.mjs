// The suite that runs inside the extension host: VS Code loads `host/tests.cjs` as it does for @vscode/test-electron.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { PYTHON, boot, check, eventually, finish } from "./lib.mjs";

const here = path.join(import.meta.dirname, "host");
const results = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "charter-host-")), "results");
fs.writeFileSync(results, "");
process.env.CHARTER_HOST_RESULTS = results;
const run = await boot({
  files: { "pyproject.toml": '[project]\nname = "sample"\n' },
  settings: { "charter.interpreter": [PYTHON], "charter.importStrategy": "useBundled" },
  tests: [here, path.join(here, "tests.cjs")],
});
try {
  const status = await eventually(async () => run.exited(), 240_000);
  for (const line of fs.readFileSync(results, "utf8").split("\n").filter(Boolean)) {
    const { name, ok, seen } = JSON.parse(line);
    check(name, ok, seen);
  }
  check("the suite ran to its end", status === "0", [status, run.said]);
} finally {
  await run.end();
  fs.rmSync(path.dirname(results), { recursive: true, force: true });
}
finish();

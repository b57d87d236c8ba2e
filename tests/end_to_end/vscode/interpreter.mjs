// The interpreter that the Python extension selects runs the server, and another one restarts it.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { PYTHON, boot, check, eventually, finish } from "./lib.mjs";
import { stubOfPython } from "./stub.mjs";

const work = fs.mkdtempSync(path.join(os.tmpdir(), "charter-stub-"));
const selected = path.join(work, "selected");
const wrapper = (name) => {
  const file = path.join(work, name);
  fs.writeFileSync(file, `#!/bin/sh\necho "$@" >> "${file}.ran"\nexec ${PYTHON} "$@"\n`, { mode: 0o755 });
  return file;
};
const [first, second] = [wrapper("first"), wrapper("second")];
fs.writeFileSync(selected, first);
process.env.CHARTER_STUB_FILE = selected;
const vsix = stubOfPython(path.join(work, "stub"), process.env.CHARTER_VSCE);
const run = await boot({ files: { "sample.py": "def f(a):\n    return a == None\n" }, vsix: [vsix] });
try {
  await run.open("sample.py");
  const launched = (file) => fs.existsSync(`${file}.ran`) && fs.readFileSync(`${file}.ran`, "utf8").includes("launch.py");
  check("the selected interpreter runs the server", await eventually(async () => launched(first)));
  check("findings appear", await eventually(() => run.page.locator(".squiggly-info, .squiggly-warning").count()));
  fs.writeFileSync(selected, second);
  check("another one restarts it", await eventually(async () => launched(second)));
} finally {
  await run.end();
  fs.rmSync(work, { recursive: true, force: true });
}
finish();

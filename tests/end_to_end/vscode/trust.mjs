// Restricted Mode: nothing that the workspace names is run before it is trusted; a program that is missing is told once.
import fs from "node:fs";
import path from "node:path";
import { PYTHON, boot, check, eventually, finish } from "./lib.mjs";

const run = await boot({
  trust: true,
  files: {
    "sample.py": "def f(a):\n    return a == None\n",
    "msgspec.py": "import pathlib\npathlib.Path(__file__).with_name('imported').touch()\n",
    "evil.sh": "#!/bin/sh\ntouch \"$(dirname \"$0\")/ran\"\n",
    ".vscode/settings.json": JSON.stringify({ "charter.path": ["${workspaceFolder}/evil.sh"] }),
  },
  settings: { "charter.interpreter": [PYTHON] },
});
const { page } = run;
try {
  fs.chmodSync(path.join(run.folder, "evil.sh"), 0o755);
  await run.open("sample.py");
  check("the bundled server reviews an untrusted workspace", await eventually(() => page.locator(".squiggly-info, .squiggly-warning").count()));
  check("the workspace's program was not run", !fs.existsSync(path.join(run.folder, "ran")));
  check("the workspace's modules were not imported", !fs.existsSync(path.join(run.folder, "imported")));
  await run.command("Workspaces: Manage Workspace Trust");
  await page.locator(".workspace-trust-editor .monaco-button", { hasText: "Trust" }).first().click();
  check("once trusted, its settings hold", await eventually(async () => fs.existsSync(path.join(run.folder, "ran"))));
  // Its program ends at once. However often that is tried, one message says so.
  const messages = page.locator(".notification-toast-container .notification-list-item-message");
  const told = await eventually(async () => {
    const texts = await messages.allInnerTexts();
    return texts.some((one) => one.includes("Charter cannot review your code")) && texts;
  });
  check("one message says that the server cannot start", told?.length === 1, told);
  await run.shot("vscode-restricted");
} finally {
  await run.end();
}
finish();

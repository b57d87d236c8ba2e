// A stand-in for the Python extension, which only the marketplace has: it offers the same interface, and switches
// the interpreter when a file says so. Packed here, since an extension must be installed to be asked.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

const MAIN = `
const fs = require("fs"), vscode = require("vscode");
const file = process.env.CHARTER_STUB_FILE;
exports.activate = () => {
  const changed = new vscode.EventEmitter();
  fs.watchFile(file, { interval: 200 }, () => changed.fire({}));
  return { environments: {
    getActiveEnvironmentPath: () => ({ path: fs.readFileSync(file, "utf8").trim() }),
    resolveEnvironment: async (one) => ({ executable: { uri: vscode.Uri.file(one.path) } }),
    onDidChangeActiveEnvironmentPath: changed.event,
  } };
};`;

export function stubOfPython(folder, vsce) {
  fs.mkdirSync(folder, { recursive: true });
  const manifest = {
    name: "python", publisher: "ms-python", version: "9.9.9", license: "MIT", description: "A stand-in for tests",
    engines: { vscode: "^1.91.0" }, main: "./main.js", activationEvents: ["*"],
  };
  fs.writeFileSync(path.join(folder, "package.json"), JSON.stringify(manifest));
  fs.writeFileSync(path.join(folder, "main.js"), MAIN);
  fs.writeFileSync(path.join(folder, "README.md"), "A stand-in.");
  const out = path.join(folder, "python.vsix");
  const made = spawnSync(vsce, ["package", "--no-dependencies", "--allow-missing-repository", "--skip-license", "--out", out], {
    cwd: folder, encoding: "utf8",
  });
  if (made.status !== 0) {
    throw new Error(made.stdout + made.stderr);
  }
  return out;
}

// Starts VS Code (code-server) with the packed extension and a browser on it, and ends both. No network is used.
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { createRequire } from "node:module";

const WORK = process.env.CHARTER_E2E;
const { chromium } = createRequire(path.join(WORK, "pw", "package.json"))("playwright-core");
const CODE_SERVER = path.join(WORK, "cs", "node_modules", "code-server", "out", "node", "entry.js");
export const PYTHON = process.env.CHARTER_PYTHON ?? "python3";
export const SHOTS = process.env.CHARTER_SHOTS;

let failed = 0;

export function check(name, ok, seen = "") {
  console.log(`${ok ? "ok  " : "FAIL"} ${name}${ok ? "" : `: ${JSON.stringify(seen)?.slice(0, 600)}`}`);
  failed += ok ? 0 : 1;
}

export async function eventually(read, timeout = 60_000) {
  const until = Date.now() + timeout;
  for (;;) {
    const value = await read().catch(() => undefined);
    if (value || Date.now() > until) {
      return value;
    }
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
}

const freePort = () =>
  new Promise((resolve) => {
    const server = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

const QUIET = {
  "files.autoSave": "off",
  "chat.disableAIFeatures": true,
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "workbench.startupEditor": "none",
  "git.enabled": false,
  "extensions.autoUpdate": "off",
  "extensions.autoCheckUpdates": false,
  "security.workspace.trust.startupPrompt": "never",
  "editor.minimap.enabled": false,
  "workbench.colorTheme": "Default Dark Modern",
};

/** `tests`: the folder of an extension and a module of it with `run()`, to be run inside the extension host. */
export async function boot({ files, settings = {}, trust = false, vsix = [], tests }) {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), "charter-e2e-"));
  const folder = path.join(home, "project");
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), text);
  }
  const data = path.join(home, "data");
  fs.mkdirSync(path.join(data, "User"), { recursive: true });
  fs.writeFileSync(path.join(data, "User", "settings.json"), JSON.stringify({ ...QUIET, ...settings }));
  fs.writeFileSync(path.join(home, "config.yaml"), "");
  const env = { ...process.env, HOME: home, XDG_CACHE_HOME: path.join(home, "cache"), XDG_DATA_HOME: home, XDG_CONFIG_HOME: home };
  delete env.PYTHONPATH;
  const common = [
    CODE_SERVER, "--config", path.join(home, "config.yaml"),
    "--user-data-dir", data, "--extensions-dir", path.join(home, "extensions"),
  ];
  for (const one of [process.env.CHARTER_VSIX, ...vsix]) {
    const made = spawnSync(process.execPath, [...common, "--install-extension", one], { env, encoding: "utf8" });
    if (made.status !== 0) {
      throw new Error(`cannot install ${one}: ${made.stdout}${made.stderr}`);
    }
  }
  const port = await freePort();
  const args = [
    ...common, "--auth", "none", "--bind-addr", `127.0.0.1:${port}`,
    "--disable-telemetry", "--disable-update-check", "--disable-getting-started-override",
    ...(trust ? [] : ["--disable-workspace-trust"]),
    // Without it a built VS Code passes over tests that the page's address names.
    ...(tests ? ["--vscode-option", "enable-smoke-test-driver"] : []),
  ];
  const server = spawn(process.execPath, args, { env, detached: true, stdio: "ignore", cwd: home });
  const gone = new Promise((resolve) => server.on("exit", resolve));
  await eventually(async () => (await fetch(`http://127.0.0.1:${port}/healthz`)).ok);
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
  const page = await (await browser.newContext({ viewport: { width: 1400, height: 860 } })).newPage();
  await page.route("**/*", (route) =>
    new URL(route.request().url()).hostname === "127.0.0.1" ? route.continue() : route.abort(),
  );
  const said = [];
  let status;
  let query = `folder=${encodeURIComponent(folder)}`;
  if (tests) {
    await page.exposeFunction("codeAutomationLog", (type, args) => said.push(`${type}: ${args}`));
    await page.exposeFunction("codeAutomationExit", (code) => (status = String(code)));
    const remote = (file) => `vscode-remote://127.0.0.1:${port}${file}`;
    const payload = [["extensionDevelopmentPath", remote(tests[0])], ["extensionTestsPath", remote(tests[1])], ["skipWelcome", "true"]];
    query += `&payload=${encodeURIComponent(JSON.stringify(payload))}`;
  }
  await page.goto(`http://127.0.0.1:${port}/?${query}`);
  await page.locator(".monaco-workbench").waitFor({ timeout: 60_000 });

  /** Opens the quick input and writes into it; again, if one that was still closing took the key. */
  const quickly = (key, text) =>
    eventually(async () => {
      const input = page.locator(".quick-input-widget input").first();
      await page.keyboard.press("Escape");
      await page.keyboard.press(key);
      await input.waitFor({ timeout: 3000 });
      await input.fill(text, { timeout: 3000 });
      return true;
    });

  const run = {
    page, folder, home, data, said,
    exited: () => status,
    async command(name) {
      await quickly("F1", `>${name}`);
      await page.locator(".quick-input-list .monaco-list-row").first().waitFor();
      await page.keyboard.press("Enter");
    },
    async open(name) {
      await quickly("Control+P", name);
      await eventually(async () => (await page.locator(".quick-input-list .monaco-list-row").first().innerText()).includes(name));
      await page.keyboard.press("Enter");
      await page.locator(".view-lines").first().waitFor();
    },
    lines: async () => (await page.locator(".editor-group-container .view-line").allInnerTexts()).map((one) => one.replaceAll("\u00a0", " ")),
    async shot(name) {
      if (SHOTS) {
        await page.waitForTimeout(800); // what was closed fades
        await page.screenshot({ path: path.join(SHOTS, `${name}.png`) });
      }
    },
    async end() {
      await browser.close();
      try {
        process.kill(-server.pid, "SIGKILL");
      } catch {
        // it left by itself
      }
      await gone;
      fs.rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 300 });
    },
  };
  return run;
}

export function finish() {
  process.exitCode = failed ? 1 : 0;
}

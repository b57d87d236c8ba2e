// What the extension gives to VS Code, asked through its programming interface, inside the extension host.
const fs = require("node:fs");
const path = require("node:path");
const vscode = require("vscode");

const SAMPLE = 'import yaml\n\n\ndef load(text):\n    s = "😀😀"; return yaml.load(text) == None, s\n';
const FIXED = SAMPLE.replace("== None", "is None");

const run = vscode.commands.executeCommand;
const folder = () => vscode.workspace.workspaceFolders[0].uri;

function report(name, ok, seen) {
  fs.appendFileSync(process.env.CHARTER_HOST_RESULTS, `${JSON.stringify({ name, ok: Boolean(ok), seen })}\n`);
}

async function eventually(read, timeout = 60_000) {
  const until = Date.now() + timeout;
  for (;;) {
    const value = await read();
    if (value || Date.now() > until) {
      return value;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function opened(name, text) {
  const uri = vscode.Uri.joinPath(folder(), name);
  fs.writeFileSync(uri.fsPath, text);
  const document = await vscode.workspace.openTextDocument(uri);
  await vscode.window.showTextDocument(document);
  return document;
}

const own = (uri) => vscode.languages.getDiagnostics(uri).filter((one) => one.source === "charter");
const rule = (one) => (typeof one.code === "object" ? one.code.value : one.code);
const found = (uri, name) => eventually(async () => own(uri).find((one) => rule(one) === name));
const everywhere = (document) => new vscode.Range(0, 0, document.lineCount, 0);

async function findings() {
  const document = await opened("sample.py", SAMPLE);
  const finding = await found(document.uri, "singleton-comparison");
  report("a finding stands right behind emoji", finding && document.getText(finding.range).startsWith("yaml.load(text) == None"), finding);
  report("it leads to its page", finding && typeof finding.code === "object" && finding.code.target.path.endsWith(".md"), finding?.code);
  const hovers = await run("vscode.executeHoverProvider", document.uri, finding.range.start);
  report("its hover explains", hovers.some((one) => one.contents.some((part) => part.value.includes("identity is meant"))), hovers);
  const lenses = await eventually(async () => {
    const all = await run("vscode.executeCodeLensProvider", document.uri);
    return all.some((one) => one.command?.title.startsWith("Charter ")) && all;
  });
  report("lenses show the file's and a function's score", lenses && lenses.some((one) => one.command?.title.startsWith("score ")), lenses);
  return { document, finding };
}

async function fixes({ document, finding }) {
  const actions = await run("vscode.executeCodeActionProvider", document.uri, finding.range, undefined, 20);
  const titles = actions.map((one) => one.title);
  report("what is offered is in order", titles.findIndex((one) => one.startsWith("Compare with")) < titles.findIndex((one) => one.startsWith("Ignore")), titles);
  const fix = actions.find((one) => one.title.startsWith("Compare with"));
  await vscode.workspace.applyEdit(fix.edit);
  report("the fix changes just what it should", document.getText() === FIXED, document.getText());
  report("and the finding goes", await eventually(async () => !own(document.uri).some((one) => rule(one) === "singleton-comparison")), own(document.uri).map(rule));
  await run("undo");
  report("undo takes one step", document.getText() === SAMPLE, document.getText());
}

async function suppressions() {
  const document = await opened("ignored.py", "x = 1  # charter: ignore[mutable-default]\ny = 2  # charter: ignore[sing\n");
  const items = await eventually(async () => {
    const list = await run("vscode.executeCompletionItemProvider", document.uri, new vscode.Position(1, 28));
    return list.items.some((one) => one.label === "singleton-comparison") && list.items;
  });
  report("names of rules are completed in a suppression", items);
  const links = await run("vscode.executeLinkProvider", document.uri);
  report("and lead to their pages", links.some((one) => one.target?.path.endsWith("mutable-default.md")), links);
}

async function hints() {
  const document = await opened("hints.py", "def f(a):\n    raise ValueError(a)\n");
  const ask = async () => (await run("vscode.executeInlayHintProvider", document.uri, everywhere(document))) ?? [];
  report("hints are off until they are asked for", (await ask()).length === 0);
  await vscode.workspace.getConfiguration("charter").update("inlayHints", true, vscode.ConfigurationTarget.Global);
  const shown = await eventually(async () => (await ask()).find((one) => JSON.stringify(one.label).includes("raises ValueError")));
  report("a setting switches them on without a restart", shown);
}

async function settings() {
  const sample = vscode.Uri.joinPath(folder(), "sample.py");
  const document = await opened("charter.toml", 'ignore = ["singleton-comparison"]\n');
  report("a settings file that is saved holds at once", await eventually(async () => !own(sample).some((one) => rule(one) === "singleton-comparison")), own(sample).map(rule));
  fs.writeFileSync(document.uri.fsPath, 'ignore = ["singleton-comparison"\n\nx = = 1\n');
  report("a mistake in it is shown on it", await eventually(async () => own(document.uri).length), own(document.uri));
  report("and the last good settings stay", !own(sample).some((one) => rule(one) === "singleton-comparison"));
  fs.writeFileSync(document.uri.fsPath, "");
  report("mended, it is clean", await eventually(async () => !own(document.uri).length), own(document.uri));
}

async function notebook() {
  const cell = (text) => new vscode.NotebookCellData(vscode.NotebookCellKind.Code, text, "python");
  const data = new vscode.NotebookData([cell("%matplotlib inline\nlimit = None"), cell("!ls\nflag = limit == None")]);
  const book = await vscode.workspace.openNotebookDocument("jupyter-notebook", data);
  await vscode.window.showNotebookDocument(book);
  const second = book.cellAt(1).document;
  const finding = await found(second.uri, "singleton-comparison");
  report("a notebook's cell has its findings, magics and all", finding && finding.range.start.line === 1, finding);
  report("the others have none of them", !own(book.cellAt(0).document.uri).some((one) => rule(one) === "singleton-comparison"));
}

async function commands() {
  const known = new Set(await vscode.commands.getCommands(true));
  const manifest = vscode.extensions.getExtension("charter-lint.charter").packageJSON;
  const absent = manifest.contributes.commands.filter((one) => !known.has(one.command));
  report("every command of the manifest is there", absent.length === 0, absent);
  const document = await opened("unused.py", "def f(a):\n    b = 1\n    return a\n");
  await found(document.uri, "unused-variable");
  await run("charter.fixThisFile");
  report("what is safe in a file is fixed by command", await eventually(async () => document.getText() === "def f(a):\n    return a\n"), document.getText());
  await run("charter.restartServer");
  report("after a restart the findings are back", await found(vscode.Uri.joinPath(folder(), "sample.py"), "unsafe-yaml-load"));
}

exports.run = async () => {
  const extension = vscode.extensions.getExtension("charter-lint.charter");
  report("the extension is there", extension);
  const first = await findings();
  report("and active", extension.isActive);
  await fixes(first);
  for (const part of [suppressions, hints, settings, notebook, commands]) {
    await part().catch((error) => report(part.name, false, String(error.stack ?? error)));
  }
};

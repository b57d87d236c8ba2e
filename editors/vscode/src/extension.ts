// Puts the parts together: server, status, commands, score view. All analysis happens in the server.
import * as vscode from "vscode";
import { Interpreters } from "./interpreter";
import { Report } from "./report";
import { ScoreView, type Scores } from "./scores";
import { Server, type Condition } from "./server";
import { NEEDS_RESTART } from "./settings";

const LATER = 2000;

const STATUS: Record<Condition, [string, vscode.LanguageStatusSeverity, boolean]> = {
  starting: ["Charter is starting", vscode.LanguageStatusSeverity.Information, true],
  running: ["Charter reviews this file", vscode.LanguageStatusSeverity.Information, false],
  stopped: ["Charter is off", vscode.LanguageStatusSeverity.Warning, false],
  failed: ["Charter is not running", vscode.LanguageStatusSeverity.Error, false],
};

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const log = vscode.window.createOutputChannel("Charter", { log: true });
  const interpreters = new Interpreters();
  const report = new Report();
  const server = new Server(context, log, interpreters, {
    // Lenses call the server's command; its answer is data, which is shown here.
    executeCommand: async (command, args, next) => {
      const result: unknown = await next(command, args);
      if (command === "charter.showScore" && result) {
        report.show(result as Scores);
      }
      return result;
    },
  });
  const view = new ScoreView(server);
  const tree = vscode.window.createTreeView("charter.scores", { treeDataProvider: view });
  context.subscriptions.push(log, server, tree, ...commands(server, log, view, report));
  status(context, server);
  follow(context, server, interpreters);
  keepFresh(context, server, view, tree);
  await interpreters.connect(context);
  await server.restart();
}

function commands(
  server: Server,
  log: vscode.LogOutputChannel,
  view: ScoreView,
  report: Report,
): vscode.Disposable[] {
  const register = vscode.commands.registerCommand;
  const ask = (command: string, argument?: unknown) =>
    server.client?.sendRequest("workspace/executeCommand", {
      command,
      arguments: argument === undefined ? [] : [argument],
    });
  return [
    register("charter.restartServer", () => server.restart(true)),
    register("charter.showLogs", () => log.show()),
    register("charter.fixThisFile", () => {
      const uri = vscode.window.activeTextEditor?.document.uri.toString();
      return uri && ask("charter.fixFile", { uri });
    }),
    register("charter.fixWholeWorkspace", () => ask("charter.fixWorkspace")),
    register("charter.showStatus", async () => {
      await ask("charter.status");
      log.show();
    }),
    register("charter.refreshScores", () => view.load()),
    register("charter.openReport", async () => {
      const scores = await view.load();
      if (scores) {
        report.show(scores);
      } else {
        void vscode.window.showInformationMessage("Charter has no scores yet: open a folder and wait for the index.");
      }
    }),
  ];
}

function status(context: vscode.ExtensionContext, server: Server): void {
  const item = vscode.languages.createLanguageStatusItem("charter", { language: "python" });
  item.name = "Charter";
  item.command = { title: "Show Logs", command: "charter.showLogs" };
  context.subscriptions.push(
    item,
    server.onDidChangeCondition((condition) => {
      const [text, severity, busy] = STATUS[condition];
      item.text = vscode.workspace.isTrusted ? text : `${text} (restricted mode)`;
      item.severity = severity;
      item.busy = busy;
    }),
  );
}

function follow(context: vscode.ExtensionContext, server: Server, interpreters: Interpreters): void {
  context.subscriptions.push(
    interpreters.onDidChange(() => void server.restart()),
    vscode.workspace.onDidGrantWorkspaceTrust(() => void server.restart()),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (NEEDS_RESTART.some((name) => event.affectsConfiguration(name))) {
        void server.restart();
      } else if (event.affectsConfiguration("charter")) {
        const charter = vscode.workspace.getConfiguration("charter");
        void server.client?.sendNotification("workspace/didChangeConfiguration", { settings: { charter } });
      }
    }),
  );
}

/** While the view is visible it follows the findings, with a pause so that typing costs nothing. */
function keepFresh(
  context: vscode.ExtensionContext,
  server: Server,
  view: ScoreView,
  tree: vscode.TreeView<unknown>,
): void {
  let timer: NodeJS.Timeout | undefined;
  const soon = () => {
    clearTimeout(timer);
    if (tree.visible) {
      timer = setTimeout(() => void view.load(), LATER);
    }
  };
  context.subscriptions.push(
    tree.onDidChangeVisibility(soon),
    vscode.languages.onDidChangeDiagnostics(soon),
    server.onDidChangeCondition(soon),
    new vscode.Disposable(() => clearTimeout(timer)),
  );
}

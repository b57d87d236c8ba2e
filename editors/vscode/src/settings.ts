// What the user set, and what the server is told of it.
import * as vscode from "vscode";

export interface Settings {
  path: string[];
  interpreter: string[];
  importStrategy: "useBundled" | "fromEnvironment";
  server: Record<string, unknown>;
}

const FOR_THE_SERVER = ["select", "ignore", "diagnosticScope", "index", "codeLens", "inlayHints"];
export const NEEDS_RESTART = ["charter.path", "charter.interpreter", "charter.importStrategy", "charter.enable"];

function substituted(text: string): string {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? "";
  return text
    .replaceAll("${workspaceFolder}", folder)
    .replaceAll("${userHome}", process.env["HOME"] ?? process.env["USERPROFILE"] ?? "")
    .replace(/\$\{env:(\w+)\}/g, (_, name: string) => process.env[name] ?? "");
}

export function enabled(): boolean {
  return vscode.workspace.getConfiguration("charter").get<boolean>("enable", true);
}

export function settings(): Settings {
  const own = vscode.workspace.getConfiguration("charter");
  const words = (name: string) => own.get<string[]>(name, []).map(substituted);
  return {
    path: words("path"),
    interpreter: words("interpreter"),
    importStrategy: own.get("importStrategy", "fromEnvironment"),
    server: {
      ...Object.fromEntries(FOR_THE_SERVER.map((name) => [name, own.get(name)])),
      trusted: vscode.workspace.isTrusted,
    },
  };
}

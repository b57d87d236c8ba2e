// The score view of the side bar: pillars, their principles, the findings against each, and where they are.
import * as vscode from "vscode";
import type { Server } from "./server";

export interface Principle {
  id: string;
  slug: string;
  title: string;
  pillar: string;
  score: number | null;
  violations: number;
  opportunities: number;
}

export interface Finding {
  rule: string;
  message: string;
  principles: string[];
  severity: string;
  path: string;
  line: number;
}

export interface Scores {
  total: number | null;
  pillars: Record<string, number | null>;
  principles: Principle[];
  findings: Finding[];
  trend?: { time: number; total: number; pillars: Record<string, number | null> }[];
}

export type Node =
  | { kind: "pillar"; name: string; score: number | null }
  | { kind: "principle"; principle: Principle }
  | { kind: "finding"; finding: Finding };

export const shown = (score: number | null) => (score === null ? "–" : String(Math.floor(score)));

export class ScoreView implements vscode.TreeDataProvider<Node> {
  private readonly changed = new vscode.EventEmitter<Node | undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  private scores: Scores | undefined;

  constructor(private readonly server: Server) {}

  async load(): Promise<Scores | undefined> {
    const client = this.server.client;
    if (!client) {
      return undefined;
    }
    const answer = await client.sendRequest<Scores | null>("workspace/executeCommand", {
      command: "charter.showScore",
    });
    this.scores = answer && answer.principles ? answer : undefined;
    this.changed.fire(undefined);
    return this.scores;
  }

  getChildren(node?: Node): Node[] {
    const scores = this.scores;
    if (!scores) {
      return [];
    }
    if (!node) {
      return Object.entries(scores.pillars).map(([name, score]) => ({ kind: "pillar", name, score }));
    }
    if (node.kind === "pillar") {
      return scores.principles
        .filter((one) => one.pillar === node.name && one.score !== null)
        .sort((a, b) => (a.score ?? 0) - (b.score ?? 0))
        .map((principle) => ({ kind: "principle", principle }));
    }
    if (node.kind === "principle") {
      return scores.findings
        .filter((one) => one.principles.includes(node.principle.slug))
        .map((finding) => ({ kind: "finding", finding }));
    }
    return [];
  }

  getTreeItem(node: Node): vscode.TreeItem {
    if (node.kind === "finding") {
      return findingItem(node.finding);
    }
    if (node.kind === "pillar") {
      const item = new vscode.TreeItem(`${node.name} ${shown(node.score)}`, vscode.TreeItemCollapsibleState.Expanded);
      item.iconPath = icon(node.score);
      return item;
    }
    const { id, title, score, violations, opportunities } = node.principle;
    const item = new vscode.TreeItem(
      // The score comes first: in a narrow side bar the end of the line is cut off.
      `${id} ${shown(score)}`,
      violations ? vscode.TreeItemCollapsibleState.Collapsed : vscode.TreeItemCollapsibleState.None,
    );
    item.description = title;
    item.iconPath = icon(score);
    item.tooltip = `${title}\n${violations} findings among ${opportunities} places looked at`;
    return item;
  }
}

function icon(score: number | null): vscode.ThemeIcon {
  if (score === null) {
    return new vscode.ThemeIcon("circle-outline");
  }
  return score < 80
    ? new vscode.ThemeIcon("error", new vscode.ThemeColor("testing.iconFailed"))
    : new vscode.ThemeIcon("pass", new vscode.ThemeColor("testing.iconPassed"));
}

function findingItem(finding: Finding): vscode.TreeItem {
  const uri = finding.path.includes(":/") ? vscode.Uri.parse(finding.path) : vscode.Uri.file(finding.path);
  const item = new vscode.TreeItem(finding.message.replaceAll("`", ""));
  item.description = `${vscode.workspace.asRelativePath(uri)}:${finding.line}`;
  item.tooltip = `${finding.rule} (${finding.severity})`;
  const at = new vscode.Position(finding.line - 1, 0);
  const options: vscode.TextDocumentShowOptions = { selection: new vscode.Range(at, at) };
  item.command = { title: "Open", command: "vscode.open", arguments: [uri, options] };
  return item;
}

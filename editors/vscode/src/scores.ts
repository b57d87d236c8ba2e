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
    const [label, score, open] =
      node.kind === "pillar"
        ? [node.name, node.score, vscode.TreeItemCollapsibleState.Expanded]
        : [
            `${node.principle.id} ${node.principle.title}`,
            node.principle.score,
            node.principle.violations
              ? vscode.TreeItemCollapsibleState.Collapsed
              : vscode.TreeItemCollapsibleState.None,
          ];
    const item = new vscode.TreeItem(label, open);
    item.description = shown(score);
    const failing = score !== null && score < 80;
    item.iconPath = failing
      ? new vscode.ThemeIcon("error", new vscode.ThemeColor("testing.iconFailed"))
      : new vscode.ThemeIcon("pass", new vscode.ThemeColor("testing.iconPassed"));
    if (node.kind === "principle") {
      item.tooltip = `${node.principle.violations} findings among ${node.principle.opportunities} places looked at`;
    }
    return item;
  }
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

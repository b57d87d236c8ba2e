// The score report: a page with a bar for each principle and the trend, drawn as SVG, without scripts.
import * as vscode from "vscode";
import { shown, type Scores } from "./scores";

const escaped = (text: string) =>
  text.replace(/[&<>"]/g, (one) => `&#${one.charCodeAt(0)};`);

function bar(score: number | null): string {
  const width = score === null ? 0 : Math.floor(score);
  const colour = score !== null && score < 80 ? "--vscode-testing-iconFailed" : "--vscode-testing-iconPassed";
  return `<svg width="208" height="12" role="img" aria-label="${shown(score)}">
    <rect x="0" y="2" width="200" height="8" rx="2" fill="var(--vscode-editorWidget-border)"/>
    <rect x="0" y="2" width="${2 * width}" height="8" rx="2" fill="var(${colour})"/>
    <line x1="160" x2="160" y1="0" y2="12" stroke="var(--vscode-foreground)" stroke-dasharray="2 2"/></svg>`;
}

function trend(scores: Scores): string {
  const points = scores.trend ?? [];
  if (points.length < 2) {
    return "<p>The trend appears once the score has been taken on different days.</p>";
  }
  const first = points[0]?.time ?? 0;
  const span = Math.max((points.at(-1)?.time ?? 0) - first, 1);
  const path = points
    .map((point) => `${(600 * (point.time - first)) / span},${120 - 1.2 * point.total}`)
    .join(" ");
  return `<svg width="610" height="130" role="img" aria-label="trend of the total score">
    <line x1="0" x2="600" y1="24" y2="24" stroke="var(--vscode-editorWidget-border)" stroke-dasharray="4 4"/>
    <polyline points="${path}" fill="none" stroke="var(--vscode-charts-blue)" stroke-width="2"/></svg>`;
}

export function page(scores: Scores): string {
  const pillars = Object.entries(scores.pillars).map(([name, score]) => {
    const rows = scores.principles
      .filter((one) => one.pillar === name)
      .map(
        (one) =>
          `<tr><td>${one.id}</td><td>${escaped(one.title)}</td><td>${bar(one.score)}</td>` +
          `<td class="number">${shown(one.score)}</td><td class="number">${one.violations || ""}</td></tr>`,
      );
    return `<h2>${escaped(name)} <span>${shown(score)}</span></h2>
      <table><tr><th></th><th>Principle</th><th></th><th>Score</th><th>Findings</th></tr>${rows.join("")}</table>`;
  });
  return `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">
    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
    <style>body { padding: 0 2em 2em; max-width: 60em } h2 { text-transform: capitalize } td, th { padding: 2px 10px; text-align: left }
    .number { text-align: right } h1 span, h2 span { float: right }</style><title>Charter</title></head>
    <body><h1>Score <span>${shown(scores.total)}</span></h1>${trend(scores)}${pillars.join("")}
    <p>A principle under 80 fails. “–” means that nothing in this code is about it.</p></body></html>`;
}

export class Report {
  private panel: vscode.WebviewPanel | undefined;

  show(scores: Scores): void {
    if (!this.panel) {
      this.panel = vscode.window.createWebviewPanel("charter.report", "Charter: Scores", vscode.ViewColumn.Active, {
        enableScripts: false,
      });
      this.panel.onDidDispose(() => (this.panel = undefined));
    }
    this.panel.webview.html = page(scores);
    this.panel.reveal();
  }
}

// The score report: a page with a bar for each principle and the trend, drawn as SVG, without scripts.
import * as vscode from "vscode";
import { shown, type Scores } from "./scores";

type TrendPoint = NonNullable<Scores["trend"]>[number];

const COLOURS = ["foreground", "red", "blue", "green"];

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
    return "<p>The trend appears once scores were taken in different hours.</p>";
  }
  const first = points[0]?.time ?? 0;
  const span = Math.max((points.at(-1)?.time ?? 0) - first, 1);
  const line = (name: string, read: (point: TrendPoint) => number | null | undefined, at: number) => {
    const colour = `var(--vscode-charts-${COLOURS[at % COLOURS.length]})`;
    const path = points
      .map((point) => [point.time, read(point)] as const)
      .filter(([, score]) => score !== null && score !== undefined)
      .map(([time, score]) => `${(600 * (time - first)) / span},${125 - 1.2 * (score ?? 0)}`)
      .join(" ");
    return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="${at ? 1.5 : 3}"/>
      <text x="${150 * at}" y="148" fill="${colour}">${escaped(name)}</text>`;
  };
  const lines = [
    line("total", (point) => point.total, 0),
    ...Object.keys(scores.pillars).map((name, at) => line(name, (point) => point.pillars[name], at + 1)),
  ];
  const day = (time: number) => new Date(1000 * time).toISOString().slice(0, 10);
  return `<svg width="610" height="160" role="img" aria-label="trend of the scores">
    <line x1="0" x2="600" y1="29" y2="29" stroke="var(--vscode-editorWidget-border)" stroke-dasharray="4 4"/>
    ${lines.join("")}</svg><p>${day(first)} to ${day(first + span)}; the dashed line is 80.</p>`;
}

const HEAD = "<tr><th></th><th>Principle</th><th></th><th>Score</th><th>Findings</th></tr>";

export function page(scores: Scores): string {
  const pillars = Object.entries(scores.pillars).map(([name, score]) => {
    const all = scores.principles.filter((one) => one.pillar === name);
    const silent = all.filter((one) => one.score === null).map((one) => one.id);
    const rows = all
      .filter((one) => one.score !== null)
      .map(
        (one) =>
          `<tr><td>${one.id}</td><td>${escaped(one.title)}</td><td>${bar(one.score)}</td>` +
          `<td class="number">${shown(one.score)}</td><td class="number">${one.violations || ""}</td></tr>`,
      );
    return `<h2>${escaped(name)} <span>${shown(score)}</span></h2>
      ${bar(score)}
      <table>${rows.length ? HEAD : ""}${rows.join("")}</table>
      ${silent.length ? `<p class="silent">Nothing in this code is about ${silent.join(", ")}.</p>` : ""}`;
  });
  return `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">
    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
    <style>body { padding: 0 2em 2em; max-width: 60em } h2 { text-transform: capitalize } td, th { padding: 2px 10px; text-align: left }
    .number { text-align: right } .silent { opacity: 0.7 } h1 span, h2 span { float: right }</style><title>Charter</title></head>
    <body><h1>Score <span>${shown(scores.total)}</span></h1>${trend(scores)}${pillars.join("")}
    <p>A principle under 80 fails; the dashed mark in each bar is 80.</p></body></html>`;
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

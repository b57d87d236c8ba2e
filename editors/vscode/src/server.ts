// Starts, watches and restarts the language server. One message if it cannot start; the rest goes to the log.
import { spawn } from "node:child_process";
import * as path from "node:path";
import * as vscode from "vscode";
import {
  CloseAction,
  ErrorAction,
  LanguageClient,
  RevealOutputChannelOn,
  State,
  type Executable,
  type ErrorHandler,
} from "vscode-languageclient/node";
import { Interpreters } from "./interpreter";
import { enabled, settings, type Settings } from "./settings";

const MAX_RESTARTS = 4;
const WITHIN = 3 * 60 * 1000;

export type Condition = "starting" | "running" | "stopped" | "failed";

/** Writes its troubles to the log: the one message that a person needs is ours. */
class QuietClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
}

export class Server implements vscode.Disposable {
  client: LanguageClient | undefined;
  private readonly conditions = new vscode.EventEmitter<Condition>();
  readonly onDidChangeCondition = this.conditions.event;
  private queue: Promise<void> = Promise.resolve();
  private last = "";
  private deaths: number[] = [];
  private told = false;

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly log: vscode.LogOutputChannel,
    private readonly interpreters: Interpreters,
    private readonly middleware: NonNullable<ConstructorParameters<typeof LanguageClient>[3]["middleware"]>,
  ) {}

  /** Restarts are queued: never two at once, and one that would change nothing is left out unless it is asked for. */
  restart(asked = false): Promise<void> {
    this.queue = this.queue.then(() => this.run(asked)).catch((error: unknown) => this.failed(String(error)));
    return this.queue;
  }

  private async run(asked: boolean): Promise<void> {
    const wanted = settings();
    const command = await this.command(wanted);
    const key = JSON.stringify([command, enabled(), wanted.importStrategy, vscode.workspace.isTrusted]);
    if (!asked && key === this.last && this.client?.state === State.Running) {
      return;
    }
    this.last = key;
    this.told = false;
    await this.stop();
    if (!enabled()) {
      this.conditions.fire("stopped");
      return;
    }
    this.conditions.fire("starting");
    const trouble = await this.tried(command, wanted);
    if (trouble) {
      this.failed(trouble);
      return;
    }
    this.log.info(`Starting ${[command.command, ...(command.args ?? [])].join(" ")}`);
    this.client = this.made(command, wanted);
    try {
      await this.client.start();
      this.conditions.fire("running");
    } catch (error) {
      this.log.error(String(error));
      this.failed("the server stopped as soon as it was started");
    }
  }

  private async command(wanted: Settings): Promise<Executable> {
    // The server never runs in the workspace's folder: what lies there must not be imported.
    const options = {
      cwd: this.context.extensionPath,
      env: { ...process.env, CHARTER_IMPORT_STRATEGY: wanted.importStrategy, PYTHONUNBUFFERED: "1" },
    };
    const [program, ...rest] = vscode.workspace.isTrusted ? wanted.path : [];
    if (program) {
      return { command: program, args: rest, options };
    }
    const launcher = path.join(this.context.extensionPath, "bundled", "launch.py");
    const selected = vscode.workspace.isTrusted
      ? wanted.interpreter.length > 0
        ? wanted.interpreter
        : [(await this.interpreters.selected()) ?? fallback()]
      : [fallback()];
    if (!vscode.workspace.isTrusted) {
      options.env.CHARTER_IMPORT_STRATEGY = "useBundled";
    }
    const [python, ...before] = selected;
    return { command: python ?? fallback(), args: [...before, "-P", launcher], options };
  }

  /** Why the command cannot be run at all; "" if it can. */
  private tried(command: Executable, wanted: Settings): Promise<string> {
    if (vscode.workspace.isTrusted && wanted.path.length > 0) {
      return Promise.resolve("");
    }
    const before = (command.args ?? []).slice(0, -2);
    const check = "import sys; sys.exit(0 if sys.version_info >= (3, 11) else 3)";
    return new Promise((resolve) => {
      const child = spawn(command.command, [...before, "-I", "-c", check], { cwd: command.options?.cwd });
      child.on("error", (error) => resolve(`the Python \`${command.command}\` cannot be run: ${error.message}`));
      child.on("exit", (code) =>
        resolve(code === 0 ? "" : `\`${command.command}\` is not Python 3.11 or newer; select another interpreter`),
      );
    });
  }

  private made(command: Executable, wanted: Settings): LanguageClient {
    return new QuietClient("charter", "Charter", command, {
      documentSelector: [
        { language: "python", scheme: "file" },
        { language: "python", scheme: "untitled" },
        { language: "python", scheme: "vscode-notebook-cell" },
        { scheme: "file", pattern: "**/{charter,pyproject}.toml" },
      ],
      initializationOptions: wanted.server,
      outputChannel: this.log,
      traceOutputChannel: this.log,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      errorHandler: this.errorHandler(),
      initializationFailedHandler: (error) => {
        this.failed(String(error));
        return false;
      },
      middleware: this.middleware,
    });
  }

  private errorHandler(): ErrorHandler {
    return {
      error: () => ({ action: ErrorAction.Continue, handled: true }),
      closed: () => {
        const now = Date.now();
        this.deaths = [...this.deaths.filter((then) => now - then < WITHIN), now];
        if (this.deaths.length <= MAX_RESTARTS) {
          return { action: CloseAction.Restart, handled: true };
        }
        this.failed("the server stopped several times in a row");
        return { action: CloseAction.DoNotRestart, handled: true };
      },
    };
  }

  private failed(reason: string): void {
    this.log.error(reason);
    this.conditions.fire("failed");
    if (this.told) {
      return;
    }
    this.told = true;
    const show = "Show Logs";
    void vscode.window.showErrorMessage(`Charter cannot review your code: ${reason}.`, show).then((choice) => {
      if (choice === show) {
        this.log.show();
      }
    });
  }

  private async stop(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    if (client && client.state !== State.Stopped) {
      await client.dispose(3000).catch((error: unknown) => this.log.warn(String(error)));
    }
  }

  async dispose(): Promise<void> {
    await this.stop();
  }
}

function fallback(): string {
  return process.platform === "win32" ? "python" : "python3";
}

// Which Python runs the server: the setting, then what the Python extensions selected, then the PATH.
import * as vscode from "vscode";

interface Environments {
  getEnvironment(scope: vscode.Uri | undefined): Promise<{ execInfo?: { run?: { executable?: string } } } | undefined>;
  onDidChangeEnvironment?: vscode.Event<unknown>;
}

interface PythonApi {
  environments: {
    getActiveEnvironmentPath(scope?: vscode.Uri): { path: string };
    resolveEnvironment(path: { path: string }): Promise<{ executable: { uri?: vscode.Uri } } | undefined>;
    onDidChangeActiveEnvironmentPath: vscode.Event<unknown>;
  };
}

async function exports<T>(id: string): Promise<T | undefined> {
  const extension = vscode.extensions.getExtension<T>(id);
  if (!extension) {
    return undefined;
  }
  try {
    return extension.isActive ? extension.exports : await extension.activate();
  } catch {
    return undefined;
  }
}

export class Interpreters {
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChange = this.changed.event;
  private environments: Environments | undefined;
  private python: PythonApi | undefined;

  async connect(context: vscode.ExtensionContext): Promise<void> {
    this.environments = await exports<Environments>("ms-python.vscode-python-envs");
    if (this.environments?.onDidChangeEnvironment) {
      context.subscriptions.push(this.environments.onDidChangeEnvironment(() => this.changed.fire()));
    }
    this.python = await exports<PythonApi>("ms-python.python");
    if (this.python?.environments) {
      context.subscriptions.push(
        this.python.environments.onDidChangeActiveEnvironmentPath(() => this.changed.fire()),
      );
    }
  }

  async selected(): Promise<string | undefined> {
    const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
    const environment = await this.environments?.getEnvironment(folder);
    const executable = environment?.execInfo?.run?.executable;
    if (executable) {
      return executable;
    }
    const active = this.python?.environments?.getActiveEnvironmentPath(folder);
    if (!active) {
      return undefined;
    }
    const resolved = await this.python?.environments.resolveEnvironment(active);
    return resolved?.executable.uri?.fsPath;
  }
}

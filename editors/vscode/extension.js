// Starts `winback lsp` and hands it the open playbooks. Everything it can do is told by the server.
"use strict";

const path = require("node:path");
const vscode = require("vscode");
const { LanguageClient, TransportKind } = require("vscode-languageclient/node");

/** @type {LanguageClient | undefined} */
let client;

/** The program to start: a relative path with a slash in it counts from the opened folder. */
function command() {
  const told = vscode.workspace.getConfiguration("winback").get("command") || "winback";
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
  return folder && /[\\/]/.test(told) && !path.isAbsolute(told) ? path.join(folder, told) : told;
}

async function start() {
  const run = { command: command(), args: ["lsp"], transport: TransportKind.stdio };
  const files = vscode.workspace.createFileSystemWatcher("**/{*.playbook,winback.toml,templates/**}");
  client = new LanguageClient(
    "winback",
    "winback",
    { run, debug: run },
    {
      documentSelector: [{ language: "playbook" }],
      initializationOptions: { asksAgain: true },
      synchronize: { fileEvents: files },
    },
  );
  try {
    await client.start();
  } catch {
    const change = "Change the setting";
    const chosen = await vscode.window.showErrorMessage(
      `\`${run.command} lsp\` could not be started. Install winback, or say in the setting \`winback.command\` where it is.`,
      change,
    );
    if (chosen === change) {
      await vscode.commands.executeCommand("workbench.action.openSettings", "winback.command");
    }
  }
}

async function stop() {
  const running = client;
  client = undefined;
  if (running?.needsStop()) {
    await running.stop();
  }
}

async function restart() {
  await stop();
  await start();
}

/** @param {vscode.ExtensionContext} context */
async function activate(context) {
  context.subscriptions.push(
    vscode.commands.registerCommand("winback.restart", restart),
    vscode.workspace.onDidChangeConfiguration((event) =>
      event.affectsConfiguration("winback.command") ? restart() : undefined,
    ),
  );
  await start();
}

module.exports = { activate, deactivate: stop };

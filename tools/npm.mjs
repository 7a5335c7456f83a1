// npm as this process was started by it, else the one on the path.

import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * What to spawn to run npm.
 * @param {string[]} args
 * @returns {{ command: string, args: string[], shell: boolean }}
 */
export function npmCommand(args) {
  const script = process.env['npm_execpath'];
  if (script?.endsWith('npm-cli.js')) {
    return { command: process.execPath, args: [script, ...args], shell: false };
  }
  return { command: 'npm', args, shell: process.platform === 'win32' };
}

/**
 * Fetches the archive of a package, without its dependencies, into `folder`.
 * @param {string} name with its version
 * @param {string} folder
 */
export async function npmPack(name, folder) {
  const { command, args, shell } = npmCommand(['pack', name, '--loglevel=error']);
  const npm = spawn(command, args, { cwd: folder, shell, stdio: ['ignore', 'ignore', 'inherit'] });
  const [code, signal] = await once(npm, 'exit');
  if (code === 0) return;
  throw new Error(`[npm pack] ${name}: ${signal ?? `exit ${code}`}; can the network be reached?`);
}

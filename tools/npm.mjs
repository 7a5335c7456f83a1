// npm as this process was started by it, else the one on the path.

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

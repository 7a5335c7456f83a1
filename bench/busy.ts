// A process that keeps one core busy, as another program on a user's machine does.

import { spawn } from 'node:child_process';

/** @returns what ends it */
export function keepCoreBusy(): () => void {
  const spinner = spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' });
  return () => void spinner.kill('SIGKILL');
}

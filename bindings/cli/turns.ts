// What the user says in a chat: one turn a line of stdin.

/** Lines of stdin that are not blank; asks for them on stderr where stdin is a terminal. */
export async function* readTurns(signal: AbortSignal): AsyncGenerator<string, void, void> {
  // Loaded when there are turns to read: most generations have none.
  const { createInterface } = await import('node:readline');
  const { stdin, stderr } = process;
  const lines = createInterface({ input: stdin, terminal: false });
  const close = () => lines.close();
  signal.addEventListener('abort', close);
  const ask = () => stdin.isTTY && stderr.write('> ');
  try {
    ask();
    for await (const line of lines) {
      if (line.trim() !== '') yield line;
      ask();
    }
  } finally {
    signal.removeEventListener('abort', close);
    lines.close();
    // An open stdin would keep the process alive.
    stdin.destroy();
  }
  signal.throwIfAborted();
}

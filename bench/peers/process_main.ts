// The peer's side of a process: `load` comes first and brings the module and its options.

export interface Question {
  readonly method: string;
  readonly args: readonly unknown[];
}

export interface Answer {
  readonly value?: unknown;
  readonly error?: string;
}

type Methods = Record<string, (...args: readonly unknown[]) => unknown>;

let methods: Methods = { load: loadPeer };

process.on('message', async ({ method, args }: Question) => {
  try {
    const run = methods[method];
    if (!run) throw new Error(`[peer] no method ${method}`);
    answer({ value: await run(...args) });
  } catch (error) {
    answer({ error: error instanceof Error ? error.message : String(error) });
  }
});

async function loadPeer(module: unknown, options: unknown): Promise<void> {
  const { load } = await import(String(module));
  const peer = await load(options);
  methods = { ...peer, about: () => peer.about };
}

function answer(message: Answer): void {
  process.send?.(message);
}

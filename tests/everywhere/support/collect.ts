// The least of a test runner: no process, no console, results as a value.

export interface Case {
  readonly name: string;
  readonly run: () => void | Promise<void>;
}

export interface Failure {
  readonly test: string;
  readonly message: string;
}

/** A case that takes longer hangs. */
const TIME_LIMIT_MS = 30_000;

/** Cases in the order of their files. */
export const cases: Case[] = [];

export function test(name: string, run: () => void | Promise<void>): void {
  cases.push({ name, run });
}

/** Runs one after another. @returns the failures */
export async function runCases(onCase: (name: string) => void = () => {}): Promise<Failure[]> {
  const failures: Failure[] = [];
  for (const { name, run } of cases) {
    onCase(name);
    try {
      await within(TIME_LIMIT_MS, run);
    } catch (error) {
      failures.push({ test: name, message: describe(error) });
    }
  }
  return failures;
}

async function within(ms: number, run: () => void | Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`took longer than ${ms} ms`)), ms);
  });
  try {
    await Promise.race([run(), late]);
  } finally {
    clearTimeout(timer);
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\ncaused by ${describe(error.cause)}`;
  return `${error.name}: ${error.message}\n${error.stack ?? ''}${cause}`;
}

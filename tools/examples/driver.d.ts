// What is used of playwright-core, which the types of the project must not need.

export interface Chromium {
  launch(options: { executablePath: string; args: string[] }): Promise<Browser>;
}

export interface Browser {
  newContext(look: Look): Promise<{
    setDefaultTimeout(ms: number): void;
    newPage(): Promise<Page>;
  }>;
  newBrowserCDPSession(): Promise<CdpSession>;
  close(): Promise<void>;
}

export interface Look {
  viewport?: { width: number; height: number };
  colorScheme?: 'light' | 'dark';
  deviceScaleFactor?: number;
}

export interface Page {
  on(event: 'pageerror', listener: (error: Error) => void): void;
  on(event: 'console', listener: (message: { type(): string; text(): string }) => void): void;
  goto(url: string): Promise<unknown>;
  evaluate<T>(work: () => T | Promise<T>): Promise<T>;
  evaluate<T, A>(work: (argument: A) => T | Promise<T>, argument: A): Promise<T>;
  waitForFunction(work: (argument: string) => unknown, argument?: string): Promise<unknown>;
  waitForSelector(selector: string): Promise<unknown>;
  click(selector: string): Promise<void>;
  fill(selector: string, value: string): Promise<void>;
  press(selector: string, key: string): Promise<void>;
  inputValue(selector: string): Promise<string>;
  setInputFiles(
    selector: string,
    files: string | string[] | { name: string; mimeType: string; buffer: Buffer },
  ): Promise<void>;
  textContent(selector: string): Promise<string | null>;
  screenshot(options: { path: string; fullPage: boolean }): Promise<unknown>;
  context(): { newCDPSession(page: Page): Promise<CdpSession> };
}

export interface CdpSession {
  send(method: 'SystemInfo.getProcessInfo'): Promise<{
    processInfo: { type: string; id: number }[];
  }>;
  send(method: 'HeapProfiler.collectGarbage'): Promise<unknown>;
  send(method: 'Input.dispatchDragEvent', event: object): Promise<unknown>;
  detach(): Promise<void>;
}

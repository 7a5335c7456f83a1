// Where a peer lives: a process or a page of its own, asked from here.

export interface Host {
  /** Calls a method of the peer with arguments that JSON can carry. */
  call<T>(method: string, ...args: unknown[]): Promise<T>;
  close(): Promise<void>;
}

// Text in columns.

export interface Column {
  readonly title: string;
  /** Numbers stand at the right, so that their places are under each other. */
  readonly right?: boolean;
}

/** Lines of aligned columns, titles first. @param rows as many cells as there are columns */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const lines = [columns.map(({ title }) => title), ...rows];
  const widths = columns.map((_, i) => Math.max(...lines.map((cells) => cells[i]!.length)));
  return lines
    .map((cells) => {
      const aligned = cells.map((cell, i) =>
        columns[i]!.right ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!),
      );
      return `${aligned.join('  ').trimEnd()}\n`;
    })
    .join('');
}

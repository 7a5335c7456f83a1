// Results as a markdown table.

/** Columns whose head ends in a colon are aligned right. */
export function markdownTable(heads: readonly string[], rows: readonly string[][]): string {
  const names = heads.map((head) => head.replace(/:$/, ''));
  const rule = heads.map((head) => (head.endsWith(':') ? '---:' : '---'));
  return [names, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

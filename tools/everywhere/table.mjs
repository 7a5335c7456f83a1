// The runtimes as a Markdown table.

/**
 * @param {{ name: string, report: import('./reports.mjs').Report | null, passed: number, faults: string[] }[]} rows
 */
export function table(rows) {
  const lines = rows.map(({ name, report, passed, faults }) => {
    if (report === null) return [name, '', '', '', '', '', 'did not run'];
    const { features, hash, ms } = report;
    const tests = faults.length === 0 ? `${passed} passed` : `${faults.length} FAILED`;
    const threads = features.threads ? 'yes' : 'one only';
    const version = features.runtime.replace(/^.* /, '');
    return [
      name,
      version,
      features.simd,
      threads,
      hash.slice(0, 12),
      (ms / 1000).toFixed(1),
      tests,
    ];
  });
  const head = ['runtime', 'version', 'SIMD', 'threads', 'hash of the logits', 'seconds', 'tests'];
  const rule = head.map(() => '---');
  return [head, rule, ...lines].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}

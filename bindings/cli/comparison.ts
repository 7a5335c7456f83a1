// Models side by side: as a table, and as a page.

import type { Score } from './evaluation.js';
import { escapeHtml, page } from './html.js';
import { plot } from './plot.js';
import { printable } from './printable.js';
import { type Column, table } from './table.js';
import { megabytes } from './words.js';

export interface ComparedModel extends Score {
  /** Where it was loaded from. */
  readonly model: string;
  /** Of its safetensors files. */
  readonly fileBytes: number;
  readonly bitsPerWeight: number;
}

export interface Comparison {
  /** Predicted ones. */
  readonly tokens: number;
  readonly contextLength: number;
  /** The first is the one that the others are compared with. */
  readonly models: readonly ComparedModel[];
}

const COLUMNS: readonly Column[] = [
  { title: 'model' },
  ...['size', 'bits per weight', 'NLL', 'perplexity', 'KL', 'same top token', 'tokens/s'].map(
    (title) => ({ title, right: true }),
  ),
];

/** Lines for a terminal. */
export function comparisonTable(comparison: Comparison): string {
  const rows = cells(comparison).map(([name, ...numbers]) => [printable(name!), ...numbers]);
  return `${table(COLUMNS, rows)}\n${printable(remark(comparison))}\n`;
}

/** @param text what the models were to predict, by name */
export function comparisonPage(comparison: Comparison, text: string): string {
  const { models } = comparison;
  const names = shortNames(models);
  const points = models.map(({ fileBytes, kl }, i) => ({ name: names[i]!, x: fileBytes, y: kl }));
  const head = COLUMNS.map(({ title, right }) => {
    return `<th scope="col"${right ? ' class="number"' : ''}>${escapeHtml(title)}</th>`;
  });
  const body = cells(comparison).map(([name, ...numbers], i) => {
    const title = escapeHtml(models[i]!.model);
    const values = numbers.map((value) => `<td class="number">${escapeHtml(value)}</td>`);
    return `<tr><th scope="row" title="${title}">${escapeHtml(name!)}</th>${values.join('')}</tr>`;
  });
  return page(
    'Size and quality',
    `<h1>Size and quality</h1>
<p>${models.length} models on ${escapeHtml(text)}. ${escapeHtml(remark(comparison))}</p>
<figure>
${plot(points, { x: 'size', y: `KL to ${names[0]}, nats per token` })}
<figcaption>Lower left is better. The line joins the models that no other one beats in both.</figcaption>
</figure>
<div class="wide" role="region" aria-label="All figures" tabindex="0">
<table>
<caption>All figures</caption>
<thead><tr>${head.join('')}</tr></thead>
<tbody>
${body.join('\n')}
</tbody>
</table>
</div>`,
  );
}

function cells({ models }: Comparison): string[][] {
  const names = shortNames(models);
  return models.map((model, i) => [
    names[i]!,
    megabytes(model.fileBytes),
    model.bitsPerWeight.toFixed(2),
    model.nll.toFixed(4),
    significant(model.perplexity, 5),
    i === 0 ? '-' : significant(model.kl, 3),
    i === 0 ? '-' : `${(100 * model.top1Agreement).toFixed(2)} %`,
    significant(model.tokensPerSecond, 3),
  ]);
}

function remark({ tokens, contextLength, models }: Comparison): string {
  const first = shortNames(models)[0];
  return `${tokens} tokens, context ${contextLength}; KL (nats per token) and top token against ${first}.`;
}

/** Digits that say something, without an exponent where it can be. */
function significant(value: number, digits: number): string {
  if (!Number.isFinite(value) || value === 0) return String(value);
  if (Math.abs(value) < 1e-6 || Math.abs(value) >= 1e6) return value.toExponential(digits - 1);
  const before = Math.floor(Math.log10(Math.abs(value))) + 1;
  return value.toFixed(Math.max(0, digits - before));
}

/** Last parts of locations, as many as tell each from the others; the same model twice is the same name. */
function shortNames(models: readonly ComparedModel[]): string[] {
  const paths = models.map(({ model }) => model.replace(/[/\\]+$/, '').split(/[/\\]/));
  return paths.map((path) => {
    const others = paths.filter((other) => other.join('/') !== path.join('/'));
    for (let parts = 1; parts < path.length; parts++) {
      const name = path.slice(-parts).join('/');
      if (!others.some((other) => other.slice(-parts).join('/') === name)) return name;
    }
    return path.join('/');
  });
}

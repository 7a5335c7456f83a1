// Points by bytes and divergence as an SVG that lies in a page: x from 0, y by powers of ten, with a place for 0.

import { escapeHtml } from './html.js';
import { placeLabels } from './plot_labels.js';
import { megabytes } from './words.js';

export interface Point {
  readonly name: string;
  /** Bytes. */
  readonly x: number;
  /** 0 or more. */
  readonly y: number;
}

interface Spot extends Point {
  readonly left: number;
  readonly top: number;
}

const WIDTH = 880;
const HEIGHT = 480;
/** The frame of the points. */
const FRAME = { left: 72, right: 850, top: 40, bottom: 424 };
/** Below the powers of ten, where 0 is. */
const ZERO_BAND = 36;
/** Steps on the axis of bytes, about. */
const STEPS = 6;
const RADIUS = 5.5;

/** @param labels of the axes */
export function plot(points: readonly Point[], labels: { x: string; y: string }): string {
  const largest = Math.max(...points.map(({ x }) => x));
  const step = niceStep(largest / STEPS);
  const steps = Math.ceil(largest / step);
  const above = points.map(({ y }) => y).filter((y) => y > 0);
  const low = above.length > 0 ? Math.floor(Math.log10(Math.min(...above))) : -3;
  const high = Math.max(low + 1, above.length > 0 ? Math.ceil(Math.log10(Math.max(...above))) : 0);
  const left = (x: number) => FRAME.left + (x / (steps * step)) * (FRAME.right - FRAME.left);
  const lowest = FRAME.bottom - ZERO_BAND;
  const top = (y: number) =>
    y > 0 ? lowest - ((Math.log10(y) - low) / (high - low)) * (lowest - FRAME.top) : FRAME.bottom;
  const spots = points.map((point) => ({ ...point, left: left(point.x), top: top(point.y) }));
  const powers = Array.from({ length: high - low + 1 }, (_, i) => low + i);
  const yTicks = [
    { text: '0', at: FRAME.bottom },
    ...powers.map((power) => ({ text: decimal(power), at: top(10 ** power) })),
  ];
  const xTicks = Array.from({ length: steps + 1 }, (_, i) => i * step);
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="plot-title plot-text">
<title id="plot-title">${escapeHtml(`${labels.x} and ${labels.y}`)}</title>
<desc id="plot-text">${escapeHtml(points.map(sentence).join('; '))}</desc>
<g stroke="var(--line)">
${yTicks.map(({ at }) => `<path d="M${FRAME.left} ${at.toFixed(1)}H${FRAME.right}"/>`).join('\n')}
</g>
<g fill="var(--soft)">
${yTicks.map(({ text, at }) => `<text x="${FRAME.left - 10}" y="${(at + 4).toFixed(1)}" text-anchor="end">${text}</text>`).join('\n')}
${xTicks.map((x) => `<text x="${left(x).toFixed(1)}" y="${FRAME.bottom + 22}" text-anchor="middle">${tickText(x)}</text>`).join('\n')}
<text x="${FRAME.right}" y="${HEIGHT - 10}" text-anchor="end">${escapeHtml(labels.x)}</text>
<text x="0" y="14">${escapeHtml(labels.y)}</text>
</g>
<path d="${frontier(spots)}" fill="none" stroke="var(--accent)" stroke-opacity=".45" stroke-width="1.5"/>
${spots.map(dot).join('\n')}
<g fill="var(--ink)" stroke="var(--paper)" stroke-width="4" paint-order="stroke">
${placeLabels(spots, RADIUS, FRAME)}
</g>
</svg>`;
}

function sentence({ name, x, y }: Point): string {
  return `${name}: ${megabytes(x)}, ${y.toPrecision(3)}`;
}

/** The first is a diamond, not only of another colour. */
function dot(spot: Spot, i: number): string {
  const title = `<title>${escapeHtml(sentence(spot))}</title>`;
  const [x, y] = [spot.left.toFixed(1), spot.top.toFixed(1)];
  if (i > 0)
    return `<circle cx="${x}" cy="${y}" r="${RADIUS}" fill="var(--accent)">${title}</circle>`;
  const size = RADIUS * 1.8;
  const diamond = `M${x} ${(spot.top - size).toFixed(1)}l${size} ${size}l${-size} ${size}l${-size} ${-size}z`;
  return `<path d="${diamond}" fill="var(--first)">${title}</path>`;
}

/** Through those of which no other one is both smaller and nearer, from small to large. */
function frontier(spots: readonly Spot[]): string {
  const best: Spot[] = [];
  for (const spot of [...spots].sort((a, b) => a.x - b.x || a.y - b.y)) {
    if (best.length === 0 || spot.y < best.at(-1)!.y) best.push(spot);
  }
  return best
    .map(({ left, top }, i) => `${i === 0 ? 'M' : 'L'}${left.toFixed(1)} ${top.toFixed(1)}`)
    .join('');
}

/** The least 1, 2 or 5 times a power of ten that is not below `step`. */
function niceStep(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step));
  return [1, 2, 5, 10].map((factor) => factor * power).find((nice) => nice >= step * (1 - 1e-9))!;
}

function tickText(bytes: number): string {
  return bytes === 0 ? '0' : megabytes(bytes).replace(/\.0+ /, ' ');
}

function decimal(power: number): string {
  return power >= -4 && power <= 3 ? String(Number(`1e${power}`)) : `1e${power}`;
}

// Where the names of points stand in a plot.

import { escapeHtml } from './html.js';

interface Spot {
  readonly name: string;
  readonly left: number;
  readonly top: number;
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

const LETTER = 7;
const LINE = 15;
/** Longest name that is written in full; the table and the points have all of it. */
const MOST_LETTERS = 28;

/**
 * Names beside their points, each where nothing is yet.
 * @param radius of a point
 * @param frame that names keep to
 */
export function placeLabels(
  spots: readonly Spot[],
  radius: number,
  frame: Pick<Box, 'left' | 'right'>,
): string {
  const taken: Box[] = spots.map(({ left, top }) => box(left, top, 2 * radius, 2 * radius));
  return spots
    .map(({ name, left, top }) => {
      const text = name.length > MOST_LETTERS ? `${name.slice(0, MOST_LETTERS - 1)}…` : name;
      const width = text.length * LETTER;
      const aside = 2 * radius + 3 + width / 2;
      const places = [0, -LINE, LINE, -2 * LINE, 2 * LINE].flatMap((down) => [
        box(left + aside, top + down, width, LINE),
        box(left - aside, top + down, width, LINE),
        ...(down === 0 ? [] : [box(left, top + down * 1.1, width, LINE)]),
      ]);
      const inFrame = places.filter(
        (place) => place.left > frame.left && place.right < frame.right,
      );
      const free = inFrame.find((place) => !taken.some((other) => overlap(place, other)));
      const place = free ?? inFrame[0] ?? places[0]!;
      taken.push(place);
      const middle = (place.left + place.right) / 2;
      return `<text x="${middle.toFixed(1)}" y="${(place.bottom - 3).toFixed(1)}" text-anchor="middle">${escapeHtml(text)}</text>`;
    })
    .join('\n');
}

/** Around a middle. */
function box(x: number, y: number, width: number, height: number): Box {
  return { left: x - width / 2, right: x + width / 2, top: y - height / 2, bottom: y + height / 2 };
}

function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

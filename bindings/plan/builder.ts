// Collects ops in the order they run, and with them what the plan must know: buffers and expected weights.

import { ShapeError } from '../errors.js';
import type { ModelConfig } from '../model/config.js';
import type { Op, Plan } from './ops.js';

/** Appends ops. Weight shapes follow from the widths of the buffers, so nothing is said twice. */
export class PlanBuilder {
  readonly #config: ModelConfig;
  readonly #buffers: ReadonlyMap<string, number>;
  readonly #weights = new Map<string, readonly number[]>();
  readonly #ops: Op[] = [];

  /** @param buffers width in float32 of every buffer */
  constructor(config: ModelConfig, buffers: Readonly<Record<string, number>>) {
    this.#config = config;
    this.#buffers = new Map(Object.entries(buffers));
  }

  embed(out: string, weight: string): void {
    this.#expect(weight, [this.#config.vocabSize, this.#width(out)]);
    this.#ops.push({ kind: 'embed', out, weight });
  }

  ropeAngles(out: string): void {
    this.#sameWidth(out, this.#config.headDim);
    this.#ops.push({ kind: 'ropeAngles', out });
  }

  rmsNorm(out: string, x: string, weight: string): void {
    this.#sameWidth(out, this.#width(x));
    this.#expect(weight, [this.#width(x)]);
    this.#ops.push({ kind: 'rmsNorm', out, x, weight, eps: this.#config.rmsNormEps });
  }

  matmul(out: string, x: string, weight: string): void {
    this.#expect(weight, [this.#width(out), this.#width(x)]);
    this.#ops.push({ kind: 'matmul', out, x, weight });
  }

  rope(x: string, angles: string): void {
    const heads = this.#width(x) / this.#config.headDim;
    this.#ops.push({ kind: 'rope', x, angles, heads });
  }

  kvUpdate(layer: number, k: string, v: string): void {
    const width = this.#config.numKvHeads * this.#config.headDim;
    this.#sameWidth(k, width);
    this.#sameWidth(v, width);
    this.#ops.push({ kind: 'kvUpdate', layer, k, v });
  }

  sdpa(out: string, q: string, layer: number): void {
    this.#sameWidth(out, this.#width(q));
    const scale = 1 / Math.sqrt(this.#config.headDim);
    this.#ops.push({ kind: 'sdpa', out, q, layer, scale, window: 0 });
  }

  add(out: string, x: string): void {
    this.#sameWidth(out, this.#width(x));
    this.#ops.push({ kind: 'add', out, x });
  }

  siluMul(out: string, gate: string, up: string): void {
    this.#sameWidth(out, this.#width(gate));
    this.#sameWidth(up, this.#width(gate));
    this.#ops.push({ kind: 'siluMul', out, gate, up });
  }

  selectRows(out: string, x: string): void {
    this.#sameWidth(out, this.#width(x));
    this.#ops.push({ kind: 'selectRows', out, x });
  }

  /** The finished plan: one segment. */
  build(logits: string): Plan {
    this.#sameWidth(logits, this.#config.vocabSize);
    const { numLayers, numHeads, numKvHeads, headDim, vocabSize } = this.#config;
    const { contextLength, rope } = this.#config;
    return {
      segments: [{ ops: this.#ops }],
      buffers: this.#buffers,
      weights: this.#weights,
      numLayers,
      numHeads,
      numKvHeads,
      headDim,
      vocabSize,
      contextLength,
      rope,
      outputs: { logits },
    };
  }

  #width(buffer: string): number {
    const width = this.#buffers.get(buffer);
    if (width === undefined) throw new ShapeError(`[plan] buffer ${buffer} is not declared`);
    return width;
  }

  #sameWidth(buffer: string, expected: number): void {
    const width = this.#width(buffer);
    if (width === expected) return;
    throw new ShapeError(`[plan] buffer ${buffer}: width ${width}, expected ${expected}`);
  }

  /** A weight used twice, such as a tied head, must be wanted in one shape. */
  #expect(weight: string, shape: readonly number[]): void {
    const known = this.#weights.get(weight);
    if (known !== undefined && known.join() !== shape.join()) {
      const both = `[${known.join(', ')}] and [${shape.join(', ')}]`;
      throw new ShapeError(`[plan] ${weight} is used with shapes ${both}`);
    }
    this.#weights.set(weight, shape);
  }
}

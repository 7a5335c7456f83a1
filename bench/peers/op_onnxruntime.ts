// onnxruntime-web's MatMulNBits, in Node. Its accuracy_level changes nothing in WebAssembly, where weights
// are expanded to float32.

import { f16ToF32 } from '../../bindings/formats/float16.js';
import { matMulNBits } from './onnx_model.js';
import { BLOCK, K, N, type OpPeer, opNumbers, timeCalls } from './op_peer.js';

interface Tensor {
  readonly data: Float32Array;
}

interface OnnxRuntime {
  readonly env: { readonly wasm: { numThreads: number }; logLevel: string };
  readonly Tensor: new (type: 'float32', values: Float32Array, shape: readonly number[]) => Tensor;
  readonly InferenceSession: {
    create(
      model: Uint8Array,
      options: { executionProviders: string[] },
    ): Promise<{ run(inputs: { x: Tensor }): Promise<{ y: Tensor }> }>;
  };
}

export async function load({ entry }: { readonly entry: string }): Promise<OpPeer> {
  const { env, Tensor, InferenceSession }: OnnxRuntime = await import(entry);
  env.wasm.numThreads = 1;
  env.logLevel = 'error';
  const { levels, scales } = opNumbers(1);
  const model = matMulNBits(N, K, BLOCK, levels, Float32Array.from(scales, f16ToF32));
  const session = await InferenceSession.create(model, { executionProviders: ['wasm'] });
  const input = (m: number) => ({ x: new Tensor('float32', opNumbers(m).x, [m, K]) });
  return {
    about: 'wasm, 1 thread',
    time(m, seconds) {
      const x = input(m);
      return timeCalls(() => session.run(x), seconds);
    },
    async output(m) {
      const { y } = await session.run(input(m));
      return Array.from(y.data);
    },
  };
}

import { loadModel } from 'halfbyte';

const model = await loadModel('model.safetensors');
const { text } = await model.complete('Once upon a time', { maxTokens: 40, temperature: 0 });
const { threads, simd } = model.runtime;
document.querySelector('#runtime').textContent = `threads: ${threads}, SIMD: ${simd}`;
document.querySelector('#text').textContent = text;
await model.dispose();

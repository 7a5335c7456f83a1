// Entry point of a thread that fits strips.

import { answerQuestions } from '#platform';
import { FitCore } from './fit_core.js';
import { fitStrip, type StripJob } from './fit_strip.js';

answerQuestions((module) => {
  const core = new FitCore(module as WebAssembly.Module);
  return (job) => {
    const strip = fitStrip(core, job as StripJob);
    const parts = Object.values(strip ?? {}).filter((part) => ArrayBuffer.isView(part));
    return [strip, [...new Set(parts.map(({ buffer }) => buffer as ArrayBuffer))]];
  };
});

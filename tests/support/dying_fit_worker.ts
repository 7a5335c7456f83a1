// A thread that dies of its second question.

import { answerQuestions } from '#platform';
import { FitCore } from '../../bindings/compress/fit/fit_core.js';
import { fitStrip, type StripJob } from '../../bindings/compress/fit/fit_strip.js';

answerQuestions((module) => {
  const core = new FitCore(module as WebAssembly.Module);
  let answered = 0;
  return (job) => {
    if (answered++ > 0) process.exit(1);
    return [fitStrip(core, job as StripJob), []];
  };
});

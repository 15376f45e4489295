import { SluiceError } from '../format/errors.ts';

type Problem = chrome.devtools.EvaluationProblem;

/** Evaluates in the page that this DevTools inspects. Rejects with `EACCES` where it may not, with `unreadable` when the expression throws. */
export function evaluate(expression: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    chrome.devtools.inspectedWindow.eval(expression, (result, problem) => {
      if (problem?.isError || problem?.isException) reject(evaluationError(problem));
      else resolve(result);
    });
  });
}

export function evaluationError({
  isException,
  value,
  code,
  description,
  details = [],
}: Problem): SluiceError {
  if (isException) {
    return new SluiceError(
      'unreadable',
      `The inspected page does not work as the panel needs it (${value}). Reload the page, and the panel`,
    );
  }
  const given = [...details];
  const told = (description ?? '').replaceAll('%s', () => String(given.shift()));
  const why = [code, told].filter(Boolean).join(': ');
  return new SluiceError(
    'EACCES',
    `DevTools cannot look into this page (${why}): those of the browser itself and of its web store are closed to extensions. Open the app’s page`,
  );
}

/** What of the extension API the panel uses, in Chrome's own words. */
declare namespace chrome.devtools {
  interface Heard<Args extends unknown[]> {
    addListener(listener: (...args: Args) => void): void;
  }

  namespace panels {
    interface ExtensionPanel {
      readonly onShown: Heard<[window: Window]>;
      readonly onHidden: Heard<[]>;
    }

    /** `dark`, or a light one. */
    const themeName: string;
    /** Since Chrome 99. */
    function setThemeChangeHandler(listener: (themeName: string) => void): void;
    function create(
      title: string,
      iconPath: string,
      pagePath: string,
      created: (panel: ExtensionPanel) => void,
    ): void;
  }

  namespace network {
    const onNavigated: Heard<[url: string]>;
  }

  interface EvaluationProblem {
    /** DevTools could not evaluate. */
    readonly isError?: boolean;
    readonly code?: string;
    readonly description?: string;
    readonly details?: readonly unknown[];
    /** The expression has thrown `value`. */
    readonly isException?: boolean;
    readonly value?: string;
  }

  const inspectedWindow: {
    /** In the main world of the top frame; past its content security policy. */
    eval(expression: string, done: (result: unknown, problem: EvaluationProblem | undefined) => void): void;
  };
}

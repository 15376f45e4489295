/**
 * Who may register service workers on an app's page. Sluice's own worker answers everything below its scope; a second
 * registration with that scope would replace it, and one inside it would take pages away from it, both without a word.
 * So the page refuses these, out loud, and lets all others pass: an app may register for scopes outside, and a scope
 * that contains ours is harmless, because the longest scope wins.
 */
export interface RegistrationRequest {
  /** Absolute URL of the script. */
  readonly script: string;
  /** Absolute URL of the scope. */
  readonly scope: string;
}

/** True when the registration would take over `ours` or a part of it. Registering our own worker again is no such thing. */
export function takesOver(request: RegistrationRequest, ours: RegistrationRequest): boolean {
  const isOurs = request.script === ours.script && request.scope === ours.scope;
  return !isOurs && request.scope.startsWith(ours.scope);
}

/** The URLs that `register(script, { scope })` means, as the specification resolves them against the page's base URL. */
export function resolveRegistration(
  script: string | URL,
  scope: string | URL | undefined,
  base: string,
): RegistrationRequest {
  const scriptUrl = new URL(script, base);
  const scopeUrl = scope === undefined ? new URL('./', scriptUrl) : new URL(scope, base);
  scriptUrl.hash = '';
  scopeUrl.hash = '';
  return { script: scriptUrl.href, scope: scopeUrl.href };
}

/** Makes `container.register` keep the rule. An invalid URL is left for the browser to complain about. */
export function guardRegistrations(container: ServiceWorkerContainer, ours: RegistrationRequest): void {
  const register = container.register.bind(container);
  container.register = (script, options) => {
    let request: RegistrationRequest;
    try {
      request = resolveRegistration(script, options?.scope, document.baseURI);
    } catch {
      return register(script, options); // Rejects with the platform's own words.
    }
    if (!takesOver(request, ours)) return register(script, options);
    const message =
      `Sluice serves ${ours.scope} with a service worker of its own. The registration of ${request.script} for ` +
      `${request.scope} was refused: it would replace it. Register for a scope outside ${ours.scope}, or do without.`;
    console.warn(message);
    return Promise.reject(new DOMException(message, 'SecurityError'));
  };
}

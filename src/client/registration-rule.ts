/**
 * Who may register service workers on an app's page. Sluice's own worker answers everything below its scope; a second
 * registration with that scope would replace it, and one inside it would take pages away from it, both without a word.
 * So the page refuses these, out loud, and lets all others pass: an app may register for scopes outside, and a scope
 * that contains ours is harmless, because the longest scope wins. Nor can an app take ours away: many unregister whatever they
 * find at each start, to be rid of a worker of their past, and each of their launches would be a first one.
 */
export interface RegistrationRequest {
  /** Absolute URL of the script. */
  readonly script: string;
  /** Absolute URL of the scope. */
  readonly scope: string;
}

/** True when the registration would take over `scope`, which is ours, or a part of it. */
export function takesOver(request: RegistrationRequest, scope: string): boolean {
  return request.scope.startsWith(scope);
}

const own = new WeakSet<object>();

/**
 * Marks the options of a registration of ours, which the rule lets pass. The script's URL does not tell: an app's own worker has the name `sw.js` as a rule, and would
 * be taken for registered.
 */
export function ownRegistration(options: RegistrationOptions): RegistrationOptions {
  own.add(options);
  return options;
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

/** Makes this page keep the rule. An invalid URL is left for the browser to complain about. */
export function guardRegistrations(container: ServiceWorkerContainer, scope: string): void {
  guardUnregistration(scope);
  const register = container.register.bind(container);
  container.register = (script, options) => {
    if (options !== undefined && own.has(options)) return register(script, options);
    let request: RegistrationRequest;
    try {
      request = resolveRegistration(script, options?.scope, document.baseURI);
    } catch {
      return register(script, options); // Rejects with the platform's own words.
    }
    if (!takesOver(request, scope)) return register(script, options);
    const message =
      `Sluice serves ${scope} with a service worker of its own. The registration of ${request.script} for ` +
      `${request.scope} was refused: it would replace it. Register for a scope outside ${scope}, or do without.`;
    console.warn(message);
    return Promise.reject(new DOMException(message, 'SecurityError'));
  };
}

/** As where there is no such registration: resolves to false. */
function guardUnregistration(scope: string): void {
  const { prototype } = ServiceWorkerRegistration;
  const { unregister } = prototype;
  prototype.unregister = function (this: ServiceWorkerRegistration) {
    if (this.scope !== scope) return unregister.call(this);
    console.warn(
      `Sluice serves ${scope} with a service worker of its own, which stays: the app asked to unregister it.`,
    );
    return Promise.resolve(false);
  };
}

/** The part of the platform's Trusted Types that is used; not every browser has them. */
interface TrustedTypes {
  createPolicy(
    name: string,
    rules: {
      readonly createScriptURL: (url: string) => string;
      readonly createHTML: (html: string) => string;
    },
  ): { createScriptURL(url: string): string; createHTML(html: string): string };
}

const same = (text: string): string => text;
let policy: ReturnType<TrustedTypes['createPolicy']> | undefined;

/**
 * The site's own scripts (service worker, loader), and the app's page as the service worker answers it, for a page whose policy asks for Trusted Types:
 * it must then allow `trusted-types sluice`. Nothing else ever goes through. Plain text where they are not asked for, or not allowed: then the platform's
 * own refusal says so.
 */
export function trusted(kind: 'createScriptURL' | 'createHTML', text: string): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  try {
    policy ??= trustedTypes?.createPolicy('sluice', { createScriptURL: same, createHTML: same });
  } catch (error) {
    console.info('sluice: the page’s policy does not list "trusted-types sluice"', error);
  }
  return policy?.[kind](text) ?? text;
}

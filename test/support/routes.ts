import type { OriginOptions } from './origin.ts';

export type Routes = NonNullable<OriginOptions['routes']>;

/** Texts for an origin to answer with: path to media type and text. */
export function textRoutes(files: Readonly<Record<string, readonly [type: string, text: string]>>): Routes {
  const routes: Record<string, Routes[string]> = {};
  for (const [path, [type, text]] of Object.entries(files)) {
    routes[path] = (_request, response) => response.setHeader('Content-Type', type).end(text);
  }
  return routes;
}

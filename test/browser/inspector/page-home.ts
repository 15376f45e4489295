import { PageHome } from '../../../src/inspector/page-home.ts';
import { inspectorHomeContract } from '../../contracts/inspector-home.ts';

/** In the page of a test: runs one case over a home of the page. */
Object.assign(globalThis, {
  runCase: (name: string) =>
    inspectorHomeContract.find((entry) => entry.name === name)!.run(new PageHome(undefined)),
});

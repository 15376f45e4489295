import { LitElement, type PropertyDeclarations } from 'lit';
import type { InspectorActions, InspectorTarget } from '../actions.ts';
import type { Snapshot } from '../model/snapshot.ts';

/**
 * What the shell shows as a tab. It gets a new snapshot about four times a second while it is the one that is seen, and none while it is not; it is only made when it
 * is seen for the first time.
 *
 * (Properties are declared, not initialised, in classes that extend this: a field of the class would hide lit's accessor.)
 */
export abstract class ViewElement extends LitElement {
  static override properties: PropertyDeclarations = {
    snapshot: { attribute: false },
    actions: { attribute: false },
    target: { attribute: false },
  };
  /** Undefined: nothing is known yet; the shell says why. */
  declare snapshot: Snapshot | undefined;
  declare actions: InspectorActions;
  /** What was jumped to last, in this view; a new object for every jump. */
  declare target: InspectorTarget | undefined;
}

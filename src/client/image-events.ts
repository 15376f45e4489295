import type { NewRelease, Progress } from '../protocol/state.ts';

/** What an image dispatches, by name. */
export interface ImageEvents {
  readonly progress: CustomEvent<Progress>;
  readonly release: CustomEvent<NewRelease>;
}

/** `addEventListener` and `removeEventListener` of an image: a listener gets the event with its detail. */
export interface ImageListening<Options> {
  <Type extends keyof ImageEvents>(
    type: Type,
    listener: (event: ImageEvents[Type]) => void,
    options?: boolean | Options,
  ): void;
  (type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | Options): void;
}

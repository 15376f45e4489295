import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { noSwitches } from '../../protocol/inspection.ts';
import { links } from '../model/simulation.ts';
import { askToEvict } from './ask-to-evict.ts';
import { taskList } from './task-list.ts';
import { controls } from './theme.ts';
import { toolsViewStyles } from './tools-view-styles.ts';
import { ViewElement } from './view-element.ts';
import { sections } from './view-styles.ts';

/** What can be done: to a path or the image, checks, files, and simulations. */
export class ToolsView extends ViewElement {
  static override properties = { path: { state: true }, failNext: { state: true }, tick: { state: true } };
  declare protected path: string;
  declare protected failNext: number;
  declare protected tick: number;
  #unwatch: (() => void) | undefined;

  static override styles = [controls, sections, toolsViewStyles];

  constructor() {
    super();
    this.path = '';
    this.failNext = 3;
    this.tick = 0;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#unwatch?.();
    this.#unwatch = undefined;
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (!changed.has('actions') && this.#unwatch) return;
    this.#unwatch?.();
    this.#unwatch = this.actions?.tasks.watch(() => {
      this.tick += 1;
    });
  }

  override render() {
    if (!this.actions || !this.snapshot) return nothing;
    return html`<div class="columns">
        <div>${this.#loading()} ${this.#checks()} ${this.#files()}</div>
        <div>${this.#simulate()}</div>
      </div>
      <section><h2>Done and under way</h2>${taskList(this.actions.tasks)}</section>`;
  }

  #loading(): TemplateResult {
    const { isPaused } = this.snapshot!.inspection.switches;
    const { image } = this.snapshot!;
    const paths = this.path === '' ? [] : [this.path];
    const isKnown = this.path === '' || image.lookup(this.path) !== undefined;
    const isFile = isKnown && this.path !== '' && image.inode(image.lookup(this.path)!).kind === 'file';
    const hint = !isKnown
      ? html`<span class="warn">The image has no such path.</span>`
      : this.path === ''
        ? 'No path: the whole image.'
        : isFile
          ? 'A file.'
          : html`<span class="warn">A directory: name a file.</span>`;
    const isTarget = this.path === '' || isFile;
    return html`<section>
      <h2>Loading</h2>
      <div class="line">
        <button aria-pressed=${isPaused} @click=${() => (isPaused ? this.actions.resume() : this.actions.pause())}>
          ${isPaused ? 'Resume' : 'Pause'}
        </button>
        <span class="soft">${isPaused ? 'Nothing new is asked for; readers wait.' : 'The loader works.'}</span>
      </div>
      <div class="line">
        <input
          type="text"
          list="files"
          spellcheck="false"
          placeholder="Path of a file, or nothing"
          aria-label="Path of a file; nothing: the whole image"
          .value=${this.path}
          @input=${this.#onPath}
        />
        ${this.#suggestions()}
        <span class="soft hint">${hint}</span>
      </div>
      <div class="line">
        <button ?disabled=${!isFile} @click=${() => this.actions.prefetch(paths)}>Prefetch</button>
        <button ?disabled=${!isTarget} @click=${() => this.actions.pin(paths, true)}>Pin</button>
        <button ?disabled=${!isTarget} @click=${() => this.actions.pin(paths, false)}>Unpin</button>
        <button class="danger" ?disabled=${!isTarget} @click=${this.#evict}>Evict…</button>
      </div>
    </section>`;
  }

  /** Of some files that begin so. */
  #suggestions(): TemplateResult {
    const paths: string[] = [];
    if (this.path !== '')
      for (const { path } of this.snapshot!.image.files()) {
        if (path.startsWith(this.path) && path !== this.path) paths.push(path);
        if (paths.length === 12) break;
      }
    return html`<datalist id="files">${paths.map((path) => html`<option value=${path}></option>`)}</datalist>`;
  }

  #checks(): TemplateResult {
    return html`<section>
      <h2>Checks</h2>
      <div class="line"><button @click=${() => this.actions.fsck()}>Check the image</button>
        <span class="soft">Bootstrap, tree, and the block tables that are here.</span></div>
      <div class="line"><button @click=${() => this.actions.scrub()}>Scrub</button>
        <span class="soft">Every stored block against its digest; bad ones are dropped, and come again.</span></div>
    </section>`;
  }

  #files(): TemplateResult {
    const { complete, blocks } = this.snapshot!.inspection.state;
    const missing = blocks.total - blocks.present;
    return html`<section>
      <h2>Files</h2>
      <div class="line"><button ?disabled=${!complete} @click=${() => this.actions.saveImage()}>Save the image…</button>
        <span class="soft">${complete ? 'All of it in one zip file, to import elsewhere.' : `Once it is complete: ${missing} blocks are missing.`}</span></div>
      <div class="line"><button @click=${() => this.renderRoot.querySelector<HTMLInputElement>('#import')!.click()}>Import…</button>
        <input id="import" type="file" accept=".zip" hidden aria-label="Zip file of an image" @change=${this.#onImport} />
        <span class="soft">Blocks from a saved image, or a zipped site. Each is verified.</span></div>
      <div class="line"><button @click=${() => this.actions.exportReadLog()}>Export the read log</button>
        <span class="soft">What <code>sluice build --trace</code> takes.</span></div>
      <div class="line"><button @click=${() => this.actions.report()}>Copy a report</button>
        <span class="soft">State, waits and errors; no content, and nothing of a URL behind its path.</span></div>
    </section>`;
  }

  #simulate(): TemplateResult {
    const { switches } = this.snapshot!.inspection;
    const isSlow = (link: (typeof links)[number]): boolean =>
      link.bytesPerSecond === switches.bytesPerSecond && link.delayMs === switches.delayMs;
    const number = (event: Event): number =>
      Math.max(0, Number((event.target as HTMLInputElement).value) || 0);
    return html`<section>
      <h2>Simulate <span class="soft">ends with the loader that leads</span></h2>
      <div class="line" role="group" aria-label="Link">
        <span class="name">Link</span>
        ${links.map(
          (link) => html`<button
            aria-pressed=${isSlow(link)}
            @click=${() => this.actions.setSwitches({ bytesPerSecond: link.bytesPerSecond, delayMs: link.delayMs })}
          >${link.name}</button>`,
        )}
      </div>
      <div class="line">
        <span class="name"></span>
        <label><input type="number" min="0" step="10" .value=${String(switches.bytesPerSecond / 1000)}
          @change=${(event: Event) => this.actions.setSwitches({ bytesPerSecond: number(event) * 1000 })} /> kB/s</label>
        <label><input type="number" min="0" step="50" .value=${String(switches.delayMs)}
          @change=${(event: Event) => this.actions.setSwitches({ delayMs: number(event) })} /> ms before each answer</label>
      </div>
      <div class="line">
        <span class="name">Network</span>
        <button aria-pressed=${switches.isOffline} @click=${() => this.actions.setSwitches({ isOffline: !switches.isOffline })}>Offline</button>
        <span class="soft">Requests fail as without a network.</span>
      </div>
      <div class="line">
        <span class="name">Failures</span>
        <label>The next <input type="number" min="1" max="1000" .value=${String(this.failNext)} @change=${(
          event: Event,
        ) => {
          this.failNext = Math.round(number(event)) || 1;
        }} /> requests</label>
        <button @click=${() => this.actions.setSwitches({ failNext: this.failNext })}>Fail them</button>
        ${switches.failNext > 0 ? html`<span class="warn">${switches.failNext} to come</span>` : nothing}
      </div>
      <div class="line">
        <span class="name">Loader</span>
        <button class="danger" @click=${() => this.actions.endLeader()}>Kill the loader</button>
        <span class="soft">Another one takes its place and goes on.</span>
      </div>
      <div class="line"><span class="name"></span><button @click=${() => this.actions.setSwitches(noSwitches)}>End all simulations</button></div>
    </section>`;
  }

  readonly #evict = (): Promise<void> => askToEvict(this.renderRoot as ShadowRoot, this.actions, this.path);

  readonly #onPath = (event: Event): void => {
    this.path = (event.target as HTMLInputElement).value.trim().replace(/^\//, '');
  };

  readonly #onImport = async (event: Event): Promise<void> => {
    const input = event.target as HTMLInputElement;
    const file = input.files?.[0];
    // The same file can be chosen again.
    input.value = '';
    if (file) await this.actions.importImage(file);
  };
}

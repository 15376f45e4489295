import { css, html, LitElement } from 'lit';
import { deferred } from '../../protocol/deferred.ts';
import { controls } from './theme.ts';

export interface Question {
  readonly title: string;
  readonly text: string;
  /** On the button that does it. */
  readonly verb: string;
}

/** Asks before something is done that costs. Escape, and the other button, is no. */
class ConfirmDialog extends LitElement {
  static override properties = { question: { attribute: false } };
  declare question: Question;
  answer: (isYes: boolean) => void = () => {};

  static override styles = [
    controls,
    css`
      dialog {
        max-width: min(420px, calc(100vw - 32px));
        padding: 14px 16px;
        border: 1px solid var(--line);
        border-radius: 8px;
        color: var(--ink);
        background: var(--bg);
        box-shadow: 0 10px 40px var(--shadow);
      }
      dialog::backdrop {
        background: rgb(0 0 0 / 0.3);
      }
      h2 {
        margin: 0 0 6px;
        font-size: 13px;
        font-weight: 600;
        overflow-wrap: anywhere;
      }
      p {
        margin: 0 0 14px;
      }
      div {
        display: flex;
        justify-content: flex-end;
        gap: 8px;
      }
    `,
  ];

  override render() {
    const { title, text, verb } = this.question;
    return html`<dialog aria-labelledby="title" @close=${this.#onClose}>
      <h2 id="title">${title}</h2>
      <p>${text}</p>
      <div>
        <button autofocus @click=${() => this.#dialog().close()}>Cancel</button>
        <button class="danger" @click=${() => this.#dialog().close('yes')}>${verb}</button>
      </div>
    </dialog>`;
  }

  protected override firstUpdated(): void {
    this.#dialog().showModal();
  }

  #dialog(): HTMLDialogElement {
    return this.renderRoot.querySelector('dialog')!;
  }

  readonly #onClose = (): void => {
    this.answer(this.#dialog().returnValue === 'yes');
  };
}

const tag = 'sluice-confirm-dialog';

/** Whether it is to be done. `root`: of the view that asks, so that the dialog has the panel's colours. */
export async function confirmed(root: ParentNode, question: Question): Promise<boolean> {
  if (!customElements.get(tag)) customElements.define(tag, ConfirmDialog);
  const dialog = document.createElement(tag) as ConfirmDialog;
  dialog.question = question;
  const answer = deferred<boolean>();
  dialog.answer = answer.resolve;
  root.append(dialog);
  try {
    return await answer.promise;
  } finally {
    dialog.remove();
  }
}

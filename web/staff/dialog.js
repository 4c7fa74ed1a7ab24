/** Windows over the page: a dialog with fields, and a question before what cannot be undone. */

import { html, signal, useEffect, useRef } from "../shared/html.js";
import { Icon } from "./icons.js";

/** @typedef {import("./staff.js").Staff} Staff */
/** @typedef {{title: string, text: string, confirm: string, isDangerous?: boolean}} Question */

/** @type {{value: (Question & {answer: (yes: boolean) => void}) | null}} */
const question = signal(null);

/**
 * Ask before something that cannot be undone.
 * @param {Question} asked
 * @returns {Promise<boolean>}
 */
export function confirm(asked) {
  question.value?.answer(false);
  return new Promise((resolve) => {
    const answer = (yes) => {
      question.value = null;
      resolve(yes);
    };
    question.value = { ...asked, answer };
  });
}

/**
 * A modal window; Escape and a press beside it close it.
 * @param {{staff: Staff, title: string, onClose: () => void, foot?: any, isWide?: boolean,
 *   children: any}} properties
 */
export function Dialog({ staff, title, onClose, foot, isWide = false, children }) {
  const window_ = useRef(null);
  useEffect(() => {
    const before = document.activeElement;
    window_.current.showModal();
    return () => before instanceof HTMLElement && before.focus();
  }, []);
  const onBackdrop = (event) => event.target === window_.current && onClose();
  return html`
    <dialog
      class=${isWide ? "dialog dialog-wide" : "dialog"} ref=${window_} aria-label=${title}
      onMouseDown=${onBackdrop} onCancel=${(event) => (event.preventDefault(), onClose())}
      onKeyDown=${(event) => event.stopPropagation()}
    >
      <div class="dialog-head">
        <h2>${title}</h2>
        <button type="button" class="button button-quiet button-icon" aria-label=${staff.common.close} onClick=${onClose}>
          <${Icon} name="close" />
        </button>
      </div>
      <div class="dialog-body">${children}</div>
      ${foot && html`<div class="dialog-foot">${foot}</div>`}
    </dialog>
  `;
}

/** The question that is being asked, if any; the shell draws it. @param {{staff: Staff}} properties */
export function Asked({ staff }) {
  const asked = question.value;
  if (!asked) return null;
  const kind = asked.isDangerous ? "button button-danger-primary" : "button button-primary";
  const foot = html`
    <button type="button" class="button" onClick=${() => asked.answer(false)}>${staff.common.cancel}</button>
    <button type="button" class=${kind} onClick=${() => asked.answer(true)}>${asked.confirm}</button>
  `;
  return html`
    <${Dialog} staff=${staff} title=${asked.title} onClose=${() => asked.answer(false)} foot=${foot}>
      <p>${asked.text}</p>
    </${Dialog}>
  `;
}

/** Texts that agents answer with: to put into an answer, and to look after. */

import { html, useState } from "../shared/html.js";
import { fill } from "../shared/wording.js";
import { Dialog } from "../staff/dialog.js";
import { Icon } from "../staff/icons.js";
import { Empty, Shown, useLoaded } from "../staff/lists.js";
import { Menu } from "../staff/menu.js";
import { attempt } from "../staff/toasts.js";

/** @typedef {import("./view.js").View} View */

const PATH = "/api/v1/console/macros";
const LANGUAGES = ["fr", "en", "es", "de", "it", "nl"];

/** @param {{view: View, open: import("./conversation.js").OpenConversation}} properties */
export function MacroMenu({ view, open }) {
  const { texts } = view.staff;
  const { language } = open.conversation.value;
  const fitting = view.desk.macros.value.filter((macro) => !macro.language || macro.language === language);
  const items = [
    ...fitting.map((macro) => ({ text: macro.name, act: () => insert(view, open, macro) })),
    { text: texts.macros.manage, act: () => (view.dialog.value = "macros") },
  ];
  return html`
    <${Menu} label=${texts.compose.macros} items=${items} place="end macros-menu" buttonClass="button button-small" empty=${texts.macros.none}>
      <${Icon} name="macro" />${texts.compose.macros}
    </${Menu}>
  `;
}

/** Put a macro behind what is written already, its names filled in. */
function insert(view, open, macro) {
  const { staff, draft } = view;
  const { customer } = open.conversation.value;
  const values = {
    customer: customer?.name ?? "",
    agent: staff.caller.name.split(" ")[0],
    ticket: open.tickets.value[0]?.ticket_id ?? "",
    order: view.orderNumber.value ?? "",
    shop: staff.caller.shop,
  };
  // A name that is not known leaves no hole: "Bonjour ," would be worse than "Bonjour,".
  const text = fill(macro.body, values).replace(/ +([,.])/g, "$1").replace(/ {2,}/g, " ");
  const before = draft.value.reply.trimEnd();
  draft.change({ mode: "reply", reply: before ? `${before}\n${text}` : text });
  requestAnimationFrame(() => view.focusField?.());
}

/** @param {{view: View}} properties */
export function MacrosDialog({ view }) {
  const { staff, desk } = view;
  const { texts } = staff;
  const [edited, edit] = useState(null);
  // What the menu knows may be old, or have failed to load.
  const loaded = useLoaded((signal) => desk.loadMacros(signal));
  const close = () => (view.dialog.value = null);
  const saved = async () => {
    edit(null);
    await desk.readMacros();
  };
  return html`
    <${Dialog} staff=${staff} title=${texts.macros.title} onClose=${close} isWide>
      ${edited ? html`<${MacroForm} view=${view} macro=${edited} saved=${saved} cancel=${() => edit(null)} />` : html`
        <div class="stack">
          <${Shown} staff=${staff} loaded=${loaded} lines=${4} isEmpty=${() => desk.macros.value.length === 0} empty=${html`<${Empty} icon="macro" title=${texts.macros.none} />`}>
            ${() => html`<ul class="macros">${desk.macros.value.map((macro) => html`<${MacroLine} key=${macro.id} view=${view} macro=${macro} edit=${edit} />`)}</ul>`}
          </${Shown}>
          <button type="button" class="button" onClick=${() => edit({ name: "", body: "", language: null })}><${Icon} name="plus" />${texts.macros.add}</button>
        </div>
      `}
    </${Dialog}>
  `;
}

function MacroLine({ view, macro, edit }) {
  const { texts } = view.staff;
  const { name } = macro;
  return html`
    <li class="macro">
      <div class="grow">
        <strong>${name}</strong> ${macro.language && html`<span class="badge">${texts.languages[macro.language]}</span>`}
        <p class="muted small macro-body">${macro.body}</p>
      </div>
      <button type="button" class="button button-quiet button-icon" aria-label=${fill(texts.macros.edit, { name })} onClick=${() => edit(macro)}><${Icon} name="edit" /></button>
      <button type="button" class="button button-quiet button-icon" aria-label=${fill(texts.macros.remove, { name })} onClick=${() => remove(view, macro)}><${Icon} name="trash" /></button>
    </li>
  `;
}

async function remove({ staff, desk }, macro) {
  const { client, texts } = staff;
  const { name, body, language } = macro;
  const undo = async () => {
    await client.post(PATH, { name, body, language });
    await desk.readMacros();
  };
  await attempt(staff, () => client.remove(`${PATH}/${macro.id}`), { done: texts.macros.removed, undo });
  await desk.readMacros();
}

function MacroForm({ view, macro, saved, cancel }) {
  const { staff } = view;
  const { texts, common, client } = staff;
  const [values, set] = useState({ name: macro.name, body: macro.body, language: macro.language ?? "" });
  const change = (name) => (event) => set({ ...values, [name]: event.currentTarget.value });
  const save = async (event) => {
    event.preventDefault();
    const body = { ...values, language: values.language || null };
    const work = () => (macro.id ? client.put(`${PATH}/${macro.id}`, body) : client.post(PATH, body));
    const done = await attempt(staff, work, { done: texts.macros.saved, problems: { 409: texts.macros.taken } });
    if (done) await saved();
  };
  return html`
    <form class="stack" onSubmit=${save}>
      <div class="field"><label for="macro-name">${texts.macros.name}</label>
        <input class="input" id="macro-name" required maxlength="80" value=${values.name} onInput=${change("name")} /></div>
      <div class="field"><label for="macro-body">${texts.macros.body}</label>
        <textarea class="input" id="macro-body" required rows="7" maxlength="5000" value=${values.body} onInput=${change("body")}></textarea>
        <p class="field-hint">${texts.macros.hint}</p></div>
      <div class="field"><label for="macro-language">${texts.macros.language}</label>
        <select class="input" id="macro-language" value=${values.language} onChange=${change("language")}>
          <option value="">${texts.macros.any}</option>
          ${LANGUAGES.map((one) => html`<option key=${one} value=${one}>${texts.languages[one]}</option>`)}
        </select></div>
      <div class="row row-end">
        <button type="button" class="button" onClick=${cancel}>${common.cancel}</button>
        <button class="button button-primary">${common.save}</button>
      </div>
    </form>
  `;
}

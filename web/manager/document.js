/** One document: its text, how it will be read and cut, what it was, and publishing it. */

import { html, useEffect, useState } from "../shared/html.js";
import { confirm } from "../staff/dialog.js";
import { Icon } from "../staff/icons.js";
import { Shown, useLoaded } from "../staff/lists.js";
import { shortMoment } from "../staff/moments.js";
import { addressOf, go } from "../staff/router.js";
import { attempt } from "../staff/toasts.js";
import { LANGUAGES } from "./documents.js";
import { Panel } from "./document_panel.js";

/** @typedef {import("../staff/staff.js").Staff} Staff */

const DOCUMENTS = "/api/v1/knowledge/documents";
const BLANK = { id: null, title: "", text: "", language: "", tags: [], status: "draft", updated_at: null };

/** What was written and not saved yet, by document: going to look something up loses nothing. */
const unsaved = new Map();

/** @param {{staff: Staff, id: string}} properties `id` is `new` for one that is to be written */
export function DocumentPage({ staff, id }) {
  const { client } = staff;
  const loaded = useLoaded(async (signal) => (id === "new" ? BLANK : (await client.get(`${DOCUMENTS}/${id}`, {}, signal)).data));
  return html`
    <div class="page page-editor" tabindex="-1">
      <div class="page-inner">
        <${Shown} staff=${staff} loaded=${loaded} lines=${12}>
          ${(document) => html`<${Editor} staff=${staff} document=${document} known=${id} replace=${loaded.replace} reload=${loaded.reload} />`}
        </${Shown}>
      </div>
    </div>
  `;
}

const fieldsOf = ({ title, text, language, tags }) => ({ title, text, language, tags: tags.join(", ") });
const tagsOf = (written) => written.split(",").map((one) => one.trim()).filter(Boolean);

function Editor({ staff, document, known, replace, reload }) {
  const { texts } = staff;
  const [fields, write] = useState(() => unsaved.get(known) ?? fieldsOf(document));
  const isChanged = JSON.stringify(fields) !== JSON.stringify(fieldsOf(document));
  const change = (name) => (event) => write((before) => ({ ...before, [name]: event.target.value }));
  useEffect(() => {
    if (isChanged) unsaved.set(known, fields);
    else unsaved.delete(known);
  }, [fields, document]);
  useEffect(() => {
    if (!isChanged) return undefined;
    const ask = (event) => event.preventDefault();
    addEventListener("beforeunload", ask);
    return () => removeEventListener("beforeunload", ask);
  }, [isChanged]);
  const taken = (data) => {
    unsaved.delete(known);
    write(fieldsOf(data));
    if (known === "new") go(["knowledge", data.id], {}, { replace: true });
    else replace(data);
  };
  return html`
    <${Head} staff=${staff} document=${document} fields=${fields} isChanged=${isChanged} taken=${taken} drop=${() => (unsaved.delete(known), write(fieldsOf(document)))} />
    <div class="editor">
      <form class="stack" onSubmit=${(event) => event.preventDefault()}>
        <div class="field">
          <label for="title">${texts.document.title}</label>
          <input id="title" class="input input-title" value=${fields.title} maxlength="300" required onInput=${change("title")} />
        </div>
        <div class="editor-row">
          <div class="field">
            <label for="tags">${texts.document.tags}</label>
            <input id="tags" class="input" value=${fields.tags} placeholder=${texts.document.tagsHint} onInput=${change("tags")} />
          </div>
          <div class="field">
            <label for="language">${texts.documents.language}</label>
            <select id="language" class="input" value=${fields.language} onChange=${change("language")}>
              ${document.id === null && html`<option value="">${texts.document.foundOut}</option>`}
              ${LANGUAGES.map((one) => html`<option key=${one} value=${one}>${texts.languages[one]}</option>`)}
            </select>
          </div>
        </div>
        <div class="field">
          <label for="text">${texts.document.text}</label>
          <textarea id="text" class="input input-text" value=${fields.text} maxlength="1000000" spellcheck="true" lang=${fields.language || undefined} onInput=${change("text")}></textarea>
          <p class="field-hint">${texts.document.textHint}</p>
        </div>
      </form>
      <${Panel} staff=${staff} document=${document} text=${fields.text} restored=${(data) => (taken(data), reload())} />
    </div>
  `;
}

function Head({ staff, document, fields, isChanged, taken, drop }) {
  const { texts, language } = staff;
  const isNew = document.id === null;
  const isDraft = document.status === "draft";
  const isWritten = Boolean(fields.title.trim() && fields.text.trim());
  const problems = { 409: texts.document.changedMeanwhile };
  const keep = (status, done) => attempt(staff, async () => taken(await save(staff, document, fields, status)), { done, problems });
  return html`
    <div class="page-head">
      <a class="button button-quiet button-icon" href=${addressOf(["knowledge"])} aria-label=${texts.document.toList}><${Icon} name="back" /></a>
      <h1 class="clip">${isNew ? texts.documents.create : document.title}</h1>
      <span class=${isDraft ? "badge badge-warn" : "badge badge-good"}>${texts.documents.statuses[document.status]}</span>
      <span class="muted small" role="status">${isChanged ? texts.document.unsaved : document.updated_at && shortMoment(document.updated_at, language)}</span>
      ${!isNew && html`<${Remove} staff=${staff} document=${document} />`}
      ${isChanged && !isNew && html`<button type="button" class="button button-quiet" onClick=${drop}>${texts.document.drop}</button>`}
      ${!isDraft && !isNew && html`<button type="button" class="button" disabled=${!isWritten} onClick=${() => keep("draft", texts.document.withdrawn)}>${texts.document.withdraw}</button>`}
      <button type="button" class=${isDraft ? "button" : "button button-primary"} disabled=${!isChanged || !isWritten} onClick=${() => keep(document.status, texts.document.saved)}>${isDraft ? texts.document.saveDraft : texts.document.save}</button>
      ${isDraft && html`<button type="button" class="button button-primary" disabled=${!isWritten} onClick=${() => keep("published", texts.document.published)}>${texts.document.publish}</button>`}
    </div>
  `;
}

async function save(staff, document, fields, status) {
  const { client } = staff;
  const body = { title: fields.title, text: fields.text, tags: tagsOf(fields.tags), status, ...(fields.language ? { language: fields.language } : {}) };
  if (document.id !== null) {
    return (await client.put(`${DOCUMENTS}/${document.id}`, { ...body, if_updated_at: document.updated_at })).data;
  }
  const { data } = await client.post(DOCUMENTS, body);
  return (await client.get(`${DOCUMENTS}/${data.id}`)).data;
}

/** Removing asks first; the toast brings the document back. */
function Remove({ staff, document }) {
  const { client, texts } = staff;
  const restore = async () => {
    const versions = (await client.get(`${DOCUMENTS}/${document.id}/versions`)).data;
    const removed = versions.find(({ reason }) => reason === "removed");
    await client.post(`${DOCUMENTS}/${document.id}/versions/${removed.id}/restore`);
    go(["knowledge", document.id]);
  };
  const remove = async () => {
    const isSure = await confirm({ title: texts.document.removeTitle, text: texts.document.removeText, confirm: staff.common.remove, isDangerous: true });
    if (!isSure) return;
    const gone = await attempt(staff, () => client.remove(`${DOCUMENTS}/${document.id}`), { done: texts.document.removed, undo: restore });
    if (gone) {
      unsaved.delete(document.id);
      go(["knowledge"]);
    }
  };
  return html`<button type="button" class="button button-quiet button-danger" onClick=${remove}><${Icon} name="trash" />${staff.common.remove}</button>`;
}

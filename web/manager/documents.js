/** The shop's documents: found, filtered, added, brought back. */

import { html, useEffect, useState } from "../shared/html.js";
import { Icon } from "../staff/icons.js";
import { Empty, Shown, useLoaded } from "../staff/lists.js";
import { ago } from "../staff/moments.js";
import { addressOf, go, route } from "../staff/router.js";
import { Pages } from "./pages.js";
import { Removed } from "./removed.js";
import { Upload } from "./upload.js";

/** @typedef {import("../staff/staff.js").Staff} Staff */

const DOCUMENTS = "/api/v1/knowledge/documents";
const TYPING_MS = 250;
export const LANGUAGES = ["fr", "en", "es", "de", "it", "nl"];
const KINDS = ["text", "markdown", "html", "pdf", "docx", "csv"];

/** @param {{staff: Staff}} properties */
export function Documents({ staff }) {
  const { texts, client } = staff;
  const { query } = route.value;
  const { search, language, status, source_kind, tag, sort = "updated", page = 1 } = query;
  const asked = { search, language, status, source_kind, tag, sort, page, per_page: 50 };
  const loaded = useLoaded((signal) => client.get(DOCUMENTS, asked, signal), [JSON.stringify(asked)]);
  const [opened, open] = useState(null);
  const isFiltered = search || language || status || source_kind || tag;
  return html`
    <div class="page" tabindex="-1">
      <div class="page-inner">
        <div class="page-head">
          <h1>${texts.views.documents}</h1>
          <button type="button" class="button button-quiet" onClick=${() => open("removed")}><${Icon} name="trash" />${texts.documents.removed}</button>
          <button type="button" class="button" onClick=${() => open("upload")}><${Icon} name="upload" />${texts.documents.upload}</button>
          <a class="button button-primary" href=${addressOf(["knowledge", "new"])}><${Icon} name="plus" />${texts.documents.create}</a>
        </div>
        <${Filters} staff=${staff} query=${query} />
        <section class="card" aria-label=${texts.views.documents}>
          <${Shown} staff=${staff} loaded=${loaded} lines=${12} isEmpty=${({ data }) => !data.length} empty=${html`<${NoDocuments} texts=${texts} isFiltered=${isFiltered} upload=${() => open("upload")} />`}>
            ${({ data, pagination }) => html`
              <${Table} staff=${staff} documents=${data} query=${query} />
              <${Pages} staff=${staff} pagination=${pagination} turn=${(one) => go(["knowledge"], { ...query, page: one })} />
            `}
          </${Shown}>
        </section>
      </div>
    </div>
    ${opened === "upload" && html`<${Upload} staff=${staff} onClose=${() => open(null)} onAdded=${loaded.reload} />`}
    ${opened === "removed" && html`<${Removed} staff=${staff} onClose=${() => open(null)} onRestored=${loaded.reload} />`}
  `;
}

function NoDocuments({ texts, isFiltered, upload }) {
  if (isFiltered) {
    return html`<${Empty} icon="search" title=${texts.documents.noneFound}><button type="button" class="button" onClick=${() => go(["knowledge"])}>${texts.documents.clear}</button></${Empty}>`;
  }
  return html`<${Empty} icon="book" title=${texts.documents.none} text=${texts.documents.noneText}><button type="button" class="button" onClick=${upload}>${texts.documents.upload}</button></${Empty}>`;
}

function Filters({ staff, query }) {
  const { texts } = staff;
  const change = (changed) => go(["knowledge"], { ...query, page: null, ...changed }, { replace: true });
  const [typed, type] = useState(query.search ?? "");
  useEffect(() => {
    if (typed === (query.search ?? "")) return undefined;
    const later = setTimeout(() => change({ search: typed }), TYPING_MS);
    return () => clearTimeout(later);
  }, [typed]);
  const choice = (name, label, values, names) => html`
    <select class="input" aria-label=${label} value=${query[name] ?? ""} onChange=${(event) => change({ [name]: event.target.value })}>
      <option value="">${label}</option>
      ${values.map((one) => html`<option key=${one} value=${one}>${names[one]}</option>`)}
    </select>
  `;
  return html`
    <form class="row row-wrap filters" role="search" onSubmit=${(event) => event.preventDefault()}>
      <input type="search" class="input filters-search" aria-label=${texts.documents.search} placeholder=${texts.documents.search} value=${typed} onInput=${(event) => type(event.target.value)} />
      ${choice("status", texts.documents.status, ["published", "draft"], texts.documents.statuses)}
      ${choice("language", texts.documents.language, LANGUAGES, texts.languages)}
      ${choice("source_kind", texts.documents.kind, KINDS, texts.documents.kinds)}
      <select class="input" aria-label=${texts.documents.sort} value=${query.sort ?? "updated"} onChange=${(event) => change({ sort: event.target.value })}>
        ${["updated", "newest", "title"].map((one) => html`<option key=${one} value=${one}>${texts.documents.sorts[one]}</option>`)}
      </select>
      ${query.tag && html`<button type="button" class="button button-small" onClick=${() => change({ tag: null })}><${Icon} name="tag" />${query.tag}<${Icon} name="close" /><span class="hidden">${texts.documents.clearTag}</span></button>`}
    </form>
  `;
}

function Table({ staff, documents, query }) {
  const { texts, language } = staff;
  return html`
    <div class="table-scroll">
      <table class="table documents">
        <thead>
          <tr>
            <th scope="col">${texts.documents.title}</th>
            <th scope="col">${texts.documents.tags}</th>
            <th scope="col">${texts.documents.language}</th>
            <th scope="col">${texts.documents.kind}</th>
            <th scope="col" class="end">${texts.documents.updated}</th>
          </tr>
        </thead>
        <tbody>
          ${documents.map((one) => html`
            <tr key=${one.id}>
              <th scope="row">
                <a href=${addressOf(["knowledge", one.id])}>${one.title}</a>
                ${one.status === "draft" && html` <span class="badge badge-warn">${texts.documents.statuses.draft}</span>`}
              </th>
              <td><span class="tags">${one.tags.slice(0, 4).map((tag) => html`<a key=${tag} class="badge" href=${addressOf(["knowledge"], { ...query, tag, page: null })}>${tag}</a>`)}</span></td>
              <td class="muted">${texts.languages[one.language] ?? one.language}</td>
              <td class="muted">${texts.documents.kinds[one.source_kind] ?? one.source_kind}</td>
              <td class="end muted number">${ago(one.updated_at, language)}</td>
            </tr>
          `)}
        </tbody>
      </table>
    </div>
  `;
}

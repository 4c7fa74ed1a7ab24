/** Adding files: chosen or dropped, sent one after the other, each with its progress. */

import { html, useRef, useState } from "../shared/html.js";
import { fileSize } from "../shared/wording.js";
import { Dialog } from "../staff/dialog.js";
import { Icon } from "../staff/icons.js";
import { problemText } from "../staff/problems.js";
import { addressOf } from "../staff/router.js";
import { counted } from "../staff/texts.js";

/** @typedef {import("../staff/staff.js").Staff} Staff */

const ACCEPTED = ".md,.markdown,.txt,.html,.htm,.pdf,.docx,.csv";
const LARGEST_BYTES = 10 * 1024 * 1024;

/** @param {{staff: Staff, onClose: () => void, onAdded: () => void}} properties */
export function Upload({ staff, onClose, onAdded }) {
  const { texts } = staff;
  const [files, show] = useState([]);
  const [isOver, over] = useState(false);
  const [tags, write] = useState("");
  const line = useRef(Promise.resolve());
  const change = (id, changed) => show((all) => all.map((one) => (one.id === id ? { ...one, ...changed } : one)));
  const add = (chosen) => {
    const added = [...chosen].map((file) => ({ id: crypto.getRandomValues(new Uint32Array(2)).join("-"), file, share: 0, state: "waiting" }));
    show((all) => [...all, ...added]);
    for (const one of added) {
      line.current = line.current.then(() => send(staff, one, tags, change)).then((done) => done && onAdded());
    }
  };
  const drop = (event) => {
    event.preventDefault();
    over(false);
    add(event.dataTransfer.files);
  };
  return html`
    <${Dialog} staff=${staff} title=${texts.upload.title} onClose=${onClose} isWide>
      <div class="stack">
        <div class="field">
          <label for="upload-tags">${texts.upload.tags}</label>
          <input id="upload-tags" class="input" value=${tags} onInput=${(event) => write(event.target.value)} placeholder=${texts.document.tagsHint} />
        </div>
        <label
          class=${isOver ? "drop drop-over" : "drop"}
          onDragOver=${(event) => (event.preventDefault(), over(true))} onDragLeave=${() => over(false)} onDrop=${drop}
        >
          <${Icon} name="upload" />
          <strong>${texts.upload.choose}</strong>
          <span class="muted small">${texts.upload.kinds}</span>
          <input type="file" class="hidden" multiple accept=${ACCEPTED} onChange=${(event) => (add(event.target.files), (event.target.value = ""))} />
        </label>
        <ul class="files" aria-live="polite">${files.map((one) => html`<${Sent} key=${one.id} staff=${staff} one=${one} />`)}</ul>
      </div>
    </${Dialog}>
  `;
}

async function send(staff, one, tags, change) {
  const { texts } = staff;
  if (one.file.size > LARGEST_BYTES) {
    change(one.id, { state: "failed", problem: texts.upload.tooLarge });
    return false;
  }
  const form = new FormData();
  form.append("file", one.file);
  if (tags.trim()) form.append("tags", tags);
  change(one.id, { state: "sending" });
  try {
    const answer = await staff.client.upload("/api/v1/knowledge/documents", form, (share) => change(one.id, { share }));
    const added = answer.metadata?.documents ?? [answer.data];
    change(one.id, { state: "done", share: 1, added });
    return true;
  } catch (error) {
    const problems = { 400: texts.upload.unreadable, 415: texts.upload.unreadable, 413: texts.upload.tooLarge };
    change(one.id, { state: "failed", problem: problemText(staff, error, problems) });
    return false;
  }
}

function Sent({ staff, one }) {
  const { texts, language } = staff;
  const [first] = one.added ?? [];
  return html`
    <li class="file">
      <${Icon} name=${one.state === "failed" ? "warning" : one.state === "done" ? "check" : "file"} />
      <span class="grow clip">${first ? html`<a href=${addressOf(["knowledge", first.id])}>${one.file.name}</a>` : one.file.name}</span>
      <span class="muted small number">${fileSize(one.file.size, language)}</span>
      ${one.state === "failed" && html`<span class="field-problem" role="alert">${one.problem}</span>`}
      ${one.state === "done" && html`<span class="badge badge-good">${counted(texts.upload.added, one.added.length, language)}</span>`}
      ${(one.state === "sending" || one.state === "waiting") && html`<progress max="1" value=${one.share} aria-label=${one.file.name}></progress>`}
    </li>
  `;
}

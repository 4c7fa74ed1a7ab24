/** What a person is good at: conversations can be given by it. */

import { html, useState } from "../shared/html.js";
import { Dialog } from "../staff/dialog.js";
import { attempt } from "../staff/toasts.js";

/** @param {{view: import("./view.js").View}} properties */
export function SkillsDialog({ view }) {
  const { staff, desk } = view;
  const { texts, common, client } = staff;
  const [text, setText] = useState((desk.profile?.skills ?? []).join(", "));
  const close = () => (view.dialog.value = null);
  const save = async (event) => {
    event.preventDefault();
    const skills = text.split(",").map((one) => one.trim()).filter(Boolean);
    const done = await attempt(staff, () => client.patch("/api/v1/console/agents/me", { skills }), { done: texts.profile.saved });
    if (!done) return;
    close();
    await desk.readAgents();
  };
  return html`
    <${Dialog} staff=${staff} title=${texts.profile.skills.replace("…", "")} onClose=${close}>
      <form class="stack" onSubmit=${save}>
        <div class="field"><label for="skills">${texts.profile.skillsHint}</label>
          <input class="input" id="skills" maxlength="600" value=${text} onInput=${(event) => setText(event.currentTarget.value)} /></div>
        <div class="row row-end"><button class="button button-primary">${common.save}</button></div>
      </form>
    </${Dialog}>
  `;
}

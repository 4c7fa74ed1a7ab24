/** The views of the area that is open, with what waits in them. */

import { html, useEffect } from "../shared/html.js";
import { Icon } from "../staff/icons.js";
import { useLoaded } from "../staff/lists.js";
import { addressOf } from "../staff/router.js";

/** @typedef {import("../staff/staff.js").Staff} Staff */

const GROUPS = [
  { title: "dashboard", views: [["overview", "", "chart"], ["intents", "intents", "tag"]] },
  {
    title: "knowledge",
    views: [
      ["documents", "knowledge", "book"],
      ["unanswered", "unanswered", "chat"],
      ["health", "health", "warning"],
      ["ask", "ask", "search"],
    ],
  },
];

/** @param {{staff: Staff, open: string}} properties `open` is the first part of the address */
export function Side({ staff, open }) {
  const { client, common, texts, language } = staff;
  const health = useLoaded(async (signal) => (await client.get("/api/v1/knowledge/health", {}, signal)).data);
  // What was dismissed or drafted in a view counts no more in the next.
  useEffect(() => {
    if (health.data) health.reload();
  }, [open]);
  const counts = {
    unanswered: health.data?.unanswered,
    health: health.data && Object.values(health.data.findings).reduce((sum, one) => sum + one, 0),
  };
  const opened = GROUPS.filter(({ views }) => views.some(([, part]) => part === open));
  return opened.map(({ title, views }) => html`
    <p key=${title} class="side-title" id=${`side-${title}`}>${common[title]}</p>
    <ul aria-labelledby=${`side-${title}`}>
      ${views.map(([name, part, icon]) => html`
        <li key=${name}>
          <a class="side-link" href=${addressOf(part ? [part] : [])} aria-current=${part === open ? "true" : undefined}>
            <${Icon} name=${icon} />${texts.views[name]}
            ${counts[name] ? html`<span class="side-count">${counts[name].toLocaleString(language)}</span>` : null}
          </a>
        </li>
      `)}
    </ul>
  `);
}

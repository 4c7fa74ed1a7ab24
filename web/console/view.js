/** What the parts of the console share, and what a key or a button does there. */

import { signal } from "../shared/html.js";
import { attempt } from "../staff/toasts.js";
import { Desk } from "./desk.js";
import { Drafts } from "./draft.js";
import { move, place } from "./place.js";
import { learned } from "./suggestion.js";

/** A panel beside the thread fits from here on. */
const WIDE = matchMedia("(min-width: 1180px)");

/** @typedef {import("./conversation.js").OpenConversation} OpenConversation */

export class View {
  /** @param {import("../staff/staff.js").Staff} staff */
  constructor(staff) {
    this.staff = staff;
    this.desk = new Desk(staff);
    this.drafts = new Drafts();
    /** The row that keys act on. @type {{value: string | null}} */
    this.selected = signal(place().id);
    this.isPanelOpen = signal(WIDE.matches);
    /** @type {{value: "keys" | "macros" | "skills" | null}} */
    this.dialog = signal(null);
    /** What the assistant proposes. @type {{value: {id: string, state: string, data: any} | null}} */
    this.proposal = signal(null);
    /** What a corrected proposal could teach. @type {{value: any}} */
    this.correction = signal(null);
    /** Of the open conversation's customer, for macros. */
    this.orderNumber = signal(null);
    /** @type {OpenConversation | null} */
    this.conversation = null;
    /** @type {(() => void) | null} */
    this.focusField = null;
  }

  get draft() {
    return this.drafts.of(this.conversation?.id ?? "");
  }

  /** @param {string} id */
  open(id) {
    this.selected.value = id;
    if (!WIDE.matches) this.isPanelOpen.value = false;
    move({ id, ticket: null });
  }

  back() {
    if (!WIDE.matches && this.isPanelOpen.value) this.isPanelOpen.value = false;
    else if (place().id) move({ id: null, ticket: null });
    requestAnimationFrame(() => document.querySelector(".rows")?.focus());
  }

  /** Mark the row before or after. @param {1 | -1} step */
  step(step) {
    const rows = this.desk.rows.value;
    if (!rows) return;
    const ids = rows.rows.value.map(rows.kind.id);
    const next = ids.indexOf(this.selected.value) + step;
    if (ids.length) this.selected.value = ids[Math.min(ids.length - 1, Math.max(0, next))];
  }

  /** @param {string} number */
  showTicket(number) {
    this.isPanelOpen.value = true;
    move({ ticket: number }, { replace: true });
  }

  togglePanel() {
    this.isPanelOpen.value = !this.isPanelOpen.value;
  }

  /** Write to the customer, or a note for the team. @param {"reply" | "note"} mode */
  write(mode) {
    if (!this.conversation) return;
    this.draft.change({ mode });
    requestAnimationFrame(() => this.focusField?.());
  }

  async suggest() {
    const { conversation } = this;
    if (!conversation?.mayReply) return;
    const { id } = conversation;
    this.proposal.value = { id, state: "loading", data: null };
    const answer = await attempt(this.staff, () => this.staff.client.get(`${conversation.path}/suggestion`));
    if (this.proposal.value?.id !== id) return;
    this.proposal.value = answer ? { id, state: "ready", data: answer.data } : null;
  }

  useProposal() {
    const { data } = this.proposal.value;
    this.draft.change({ mode: "reply", reply: data.text, suggestion: data });
    this.proposal.value = null;
    requestAnimationFrame(() => this.focusField?.());
  }

  /** An answer leaves; a corrected proposal may become a test. */
  sent(text, made) {
    const { suggestion } = this.draft.value;
    this.correction.value = made?.use === "edited" ? learned(suggestion, text) : null;
  }
}

/** Where in the console one is: a list with its search, and what is open of it. */

import { addressOf, go, route } from "../staff/router.js";

/**
 * @typedef {object} Place
 * @property {"conversations" | "tickets"} list
 * @property {string} queue
 * @property {string | null} id of what is open
 * @property {string | null} ticket shown beside a conversation
 * @property {Record<string, string>} filters `search`, `channel`, …
 */

export const CONVERSATION_QUEUES = ["mine", "unassigned", "waiting", "breaching", "all", "closed"];
export const TICKET_QUEUES = ["mine", "unassigned", "waiting", "breaching", "all"];
const FILTERS = ["search", "channel", "language", "owner", "status"];

/** @returns {Place} */
export function place() {
  const { parts, query } = route.value;
  const list = parts[0] === "tickets" ? "tickets" : "conversations";
  const queues = list === "tickets" ? TICKET_QUEUES : CONVERSATION_QUEUES;
  const queue = queues.includes(parts[1]) ? parts[1] : "all";
  const given = FILTERS.filter((name) => query[name]).map((name) => [name, query[name]]);
  return {
    list,
    queue,
    id: parts[2] ?? null,
    ticket: query.ticket ?? null,
    filters: Object.fromEntries(given),
  };
}

/** @param {Partial<Place>} change @param {{replace?: boolean}} [options] */
export function move(change, options) {
  const { list, queue, id, ticket, filters } = { ...place(), ...change };
  go([list, queue, ...(id ? [id] : [])], { ...filters, ticket }, options);
}

/** @param {"conversations" | "tickets"} list @param {string} queue @param {Record<string, string>} [filters] */
export const listAddress = (list, queue, filters = {}) => addressOf([list, queue], filters);

/**
 * What is known of a conversation, made of the frames that arrive: a pure function of both.
 *
 * A frame's `sequence` is message number × 1,000 + position. Within a turn positions only grow, so
 * a frame at or below the last position seen has been seen: whatever comes twice counts once.
 */

const POSITIONS = 1000;
const LAST_POSITION = 999;

/**
 * @typedef {{id: string, title: string, quote: string}} Source
 * @typedef {{tool: string, result: any}} ToolResult
 * @typedef {{name: string, type: string, url: string | null, poster?: string | null}} Attached
 *
 * @typedef {object} Turn one message and the reply to it, or a message that answers none
 * @property {string} key
 * @property {number} number 0 until the server has it
 * @property {number} position the last frame seen of this turn
 * @property {string | null} clientMessageId
 * @property {string | null} messageId of what the customer said
 * @property {string | null} text what the customer said
 * @property {Attached[]} attached
 * @property {string[]} fileIds
 * @property {"sending" | "accepted" | "answering" | "done" | "failed"} state
 * @property {string | null} problem why it failed
 * @property {"assistant" | "agent" | "system"} author of the reply
 * @property {string} reply
 * @property {Source[]} sources
 * @property {any[]} products
 * @property {ToolResult[]} tools
 * @property {string[]} suggestions
 * @property {string | null} name of the person who wrote the reply
 * @property {number | null} at when, where it is known
 *
 * @typedef {object} Conversation
 * @property {Turn[]} turns in order
 * @property {number} last the highest sequence seen: where to go on from
 * @property {"bot" | "waiting" | "human" | "closed"} owner
 * @property {string | null} agent the name of the person who answers
 * @property {any} wait what the handoff said about waiting
 */

/** @returns {Conversation} */
export function emptyConversation() {
  return { turns: [], last: 0, owner: "bot", agent: null, wait: null };
}

/**
 * @param {Partial<Turn>} values
 * @returns {Turn}
 */
export function newTurn(values) {
  return {
    key: values.clientMessageId || `turn-${values.number}`,
    number: 0,
    position: 0,
    clientMessageId: null,
    messageId: null,
    text: null,
    attached: [],
    fileIds: [],
    state: "sending",
    problem: null,
    author: "assistant",
    reply: "",
    sources: [],
    products: [],
    tools: [],
    suggestions: [],
    name: null,
    at: Date.now(),
    ...values,
  };
}

/**
 * The conversation after a frame; the same object where the frame brings nothing new.
 * @param {Conversation} conversation
 * @param {any} frame
 * @returns {Conversation}
 */
export function applyFrame(conversation, frame) {
  if (frame.type === "continuity_lost") return forgetHalfReply(conversation, frame.after);
  if (frame.type === "unanswered") return changed(conversation, byClientId(frame), { state: "sending" });
  if (!frame.sequence) return applyUnnumbered(conversation, frame);
  const number = Math.floor(frame.sequence / POSITIONS);
  const position = frame.sequence % POSITIONS;
  const found = turnOf(conversation, number, frame);
  if (found && found.number === number && position <= found.position) return conversation;
  const before = found ?? newTurn({ number, state: "accepted", ...(frame.rebuilt ? { at: null } : {}) });
  const after = { ...advance(before, frame), number, position };
  return {
    ...conversation,
    ...ownership(conversation, frame),
    turns: place(conversation.turns, before, after),
    last: Math.max(conversation.last, frame.sequence),
  };
}

/** A refusal before the message was accepted names it by the client's own id. */
function applyUnnumbered(conversation, frame) {
  if (frame.type !== "error" || !frame.client_message_id) return conversation;
  return changed(conversation, byClientId(frame), { state: "failed", problem: frame.detail });
}

function byClientId(frame) {
  return (turn) => turn.clientMessageId !== null && turn.clientMessageId === frame.client_message_id;
}

/**
 * @param {Conversation} conversation
 * @param {(turn: Turn) => boolean} matches
 * @param {Partial<Turn>} values
 */
export function changed(conversation, matches, values) {
  const turns = conversation.turns.map((turn) => (matches(turn) ? { ...turn, ...values } : turn));
  return { ...conversation, turns };
}

/** What had arrived of a reply that cannot be continued is replaced by what follows. */
function forgetHalfReply(conversation, after) {
  const number = Math.floor(after / POSITIONS);
  const unfinished = (turn) => turn.number === number && turn.position !== LAST_POSITION;
  return changed(conversation, unfinished, { position: 0, ...NO_REPLY });
}

const NO_REPLY = { reply: "", sources: [], products: [], tools: [], suggestions: [] };

function turnOf(conversation, number, frame) {
  const known = conversation.turns.find((turn) => turn.number === number);
  if (known || frame.type !== "accepted") return known;
  return conversation.turns.find((turn) => turn.number === 0 && byClientId(frame)(turn));
}

/**
 * A turn after one of its frames.
 * @param {Turn} turn
 * @param {any} frame
 * @returns {Turn}
 */
function advance(turn, frame) {
  switch (frame.type) {
    case "accepted":
      // Whatever begins anew replaces what had begun before.
      return { ...turn, ...NO_REPLY, ...accepted(turn, frame) };
    case "sentence": {
      const joint = turn.reply ? frame.joint || "\n\n" : "";
      const sources = withSources(turn.sources, frame.sources || []);
      return { ...turn, state: "answering", reply: turn.reply + joint + frame.text, sources };
    }
    case "tool_result":
      return { ...turn, tools: [...turn.tools, { tool: frame.tool, result: frame.result }] };
    case "products":
      return { ...turn, products: frame.products };
    case "suggestions":
      return { ...turn, suggestions: frame.suggestions };
    case "finished":
      return { ...turn, state: "done" };
    case "message":
      return {
        ...turn,
        state: "done",
        author: frame.role,
        reply: frame.message,
        sources: frame.sources ?? [],
        name: frame.author?.name ?? null,
        at: Date.parse(frame.created_at),
      };
    case "error":
      return { ...turn, state: "failed", problem: frame.detail };
    default:
      return turn;
  }
}

function accepted(turn, frame) {
  return {
    key: turn.clientMessageId ?? turn.key,
    clientMessageId: frame.client_message_id ?? turn.clientMessageId,
    messageId: frame.message_id ?? null,
    text: turn.text ?? frame.message,
    state: "accepted",
    problem: null,
  };
}

/** Each quote once, in the order of the answer. */
function withSources(known, more) {
  const fresh = more.filter(
    (source) => !known.some((one) => one.id === source.id && one.quote === source.quote),
  );
  return [...known, ...fresh];
}

/** Who answers from now on, where a frame says so. */
function ownership(conversation, frame) {
  switch (frame.type) {
    case "tool_result":
      return frame.tool === "handoff" ? ownedAs(frame.result) : {};
    case "handoff":
      // What was said about waiting holds until something else is.
      return ownedAs({ ...conversation.wait, ...frame });
    case "message":
      if (frame.handoff) return ownedAs(frame.handoff);
      return frame.role === "agent" ? { owner: "human", agent: frame.author?.name ?? null } : {};
    case "finished":
      return frame.owner ? { owner: frame.owner } : {};
    default:
      return {};
  }
}

function ownedAs(place) {
  const wait = place.owner === "waiting" ? place : null;
  return { owner: place.owner, agent: place.agent ?? null, wait };
}

/** Put a turn where its number belongs; messages that the server has not, stay at the end. */
function place(turns, before, after) {
  const at = turns.indexOf(before);
  const rest = at < 0 ? turns : turns.toSpliced(at, 1);
  const behind = rest.findIndex((turn) => turn.number === 0 || turn.number > after.number);
  return rest.toSpliced(behind < 0 ? rest.length : behind, 0, after);
}

/**
 * The frames that an answer given whole stands for, so that all ways lead through `applyFrame`.
 * @param {Conversation} conversation
 * @param {string} clientMessageId
 * @param {any} answer of `POST /api/chat`
 */
export function applyAnswer(conversation, clientMessageId, answer) {
  const handoff = answer.tool_results.find((done) => done.tool === "handoff");
  const after = changed(conversation, (turn) => turn.clientMessageId === clientMessageId, {
    state: "done",
    reply: answer.response,
    sources: answer.sources,
    products: answer.products,
    tools: answer.tool_results,
    suggestions: answer.suggestions,
  });
  return handoff ? { ...after, owner: handoff.result.owner, wait: handoff.result } : after;
}

/**
 * A conversation as the history tells it, where frames cannot be had.
 * @param {any[]} messages of `GET /api/chat/history`
 */
export function fromHistory(messages) {
  const turns = [];
  for (const one of messages) {
    const at = Date.parse(one.created_at);
    if (one.role === "user") {
      turns.push(newTurn({ key: one.id, text: one.content, state: "done", at }));
    } else if (one.role === "assistant" && turns.length && !turns.at(-1).reply) {
      Object.assign(turns.at(-1), { reply: one.content, sources: one.sources });
    } else {
      const author = one.role;
      turns.push(newTurn({ key: one.id, author, reply: one.content, state: "done", at }));
    }
  }
  return { ...emptyConversation(), turns };
}

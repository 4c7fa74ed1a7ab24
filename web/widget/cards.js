/** What stands beside an answer: products, tickets, sources, suggestions. */

import { html, useEffect, useState } from "../shared/html.js";
import { dayAndHour, fill, price } from "../shared/wording.js";
import { drawingOf } from "../shared/furniture.js";
import { Icon } from "./icons.js";

const STEPS = { open: 0, in_progress: 1, waiting_customer: 1, waiting_supplier: 1, resolved: 2, closed: 2 };

/** @typedef {import("./app.js").View} View */

/** @param {{view: View, products: any[]}} properties */
export function Products({ view, products }) {
  if (!products.length) return null;
  return html`
    <ul class="products" aria-label=${view.texts.products} tabindex="0">
      ${products.map((product) => html`<${Product} key=${product.sku} ...${{ view, product }} />`)}
    </ul>
  `;
}

function Product({ view, product }) {
  const { texts, language } = view;
  const link = view.productLink(product.sku);
  const ask = () => view.chat.say(fill(texts.aboutProduct, { name: product.name }));
  return html`
    <li class="product">
      <${Picture} product=${product} />
      <div class="product-facts">
        <span class="product-name">${product.name}</span>
        <strong class="product-price">${price(product.price, language)}</strong>
        <span class=${product.in_stock ? "stock" : "stock stock-none"}>
          ${product.in_stock ? texts.inStock : texts.outOfStock}
        </span>
        <span class="quiet">${fill(texts.deliveryDays, { days: product.delivery_days })}</span>
        ${link
          ? html`<a class="product-link" href=${link} target="_blank" rel="noopener"
              aria-label=${`${texts.seeProduct} : ${product.name}`}>${texts.seeProduct}</a>`
          : html`<button type="button" class="product-link" onClick=${ask}
              aria-label=${`${texts.askProduct} : ${product.name}`}>${texts.askProduct}</button>`}
      </div>
    </li>
  `;
}

function Picture({ product }) {
  const [isBroken, setBroken] = useState(false);
  const photo = product.images?.[0];
  if (photo && !isBroken) {
    return html`<img class="picture" src=${photo} alt="" loading="lazy"
      onError=${() => setBroken(true)} />`;
  }
  return html`
    <div class="picture picture-drawn" aria-hidden="true">
      <svg viewBox="0 0 48 48"><path d=${drawingOf(`${product.name} ${product.category}`)} /></svg>
    </div>
  `;
}

/** @param {{view: View, ticket: any}} properties */
export function Ticket({ view, ticket: filed }) {
  const { texts, language } = view;
  const [ticket, setTicket] = useState(filed);
  useEffect(() => {
    // What was filed may be resolved by now; unknown, it is shown as it was filed.
    const now = (found) => found && setTicket({ ...filed, status: found.status });
    view.chat.readTicket(filed.ticket_id).then(now, () => undefined);
  }, [filed.ticket_id]);
  const [isCopied, setCopied] = useState(false);
  const reached = STEPS[ticket.status] ?? 0;
  const files = ticket.attachments?.length ?? 0;
  const copy = () => navigator.clipboard?.writeText(ticket.ticket_id).then(() => setCopied(true));
  return html`
    <section class="ticket" aria-label=${fill(texts.ticket, { number: ticket.ticket_id })}>
      <div class="ticket-head">
        <${Icon} name="ticket" />
        <strong>${ticket.ticket_id}</strong>
        <button type="button" class="small-button" onClick=${copy}
          aria-label=${isCopied ? texts.copied : texts.copy}>
          <${Icon} name=${isCopied ? "check" : "copy"} />
        </button>
        <span class="state">${texts.status[ticket.status] ?? ticket.status}</span>
      </div>
      <ol class="steps" aria-label=${texts.ticketSteps}>
        ${texts.steps.map(
          (step, index) => html`
            <li class=${index <= reached ? "reached" : ""}
              aria-current=${index === reached ? "step" : undefined}>${step}</li>
          `,
        )}
      </ol>
      <p class="quiet">
        ${fill(texts.ticketAnswer, { moment: dayAndHour(ticket.sla_response_deadline, language) })}
      </p>
      ${files > 0 && html`
        <p class="quiet">
          ${fill(files > 1 ? texts.ticketFilesMany : texts.ticketFiles, { count: files })}
        </p>
      `}
    </section>
  `;
}

/** @param {{view: View, sources: import("./conversation.js").Source[]}} properties */
export function Sources({ view, sources }) {
  if (!sources.length) return null;
  return html`
    <ul class="sources" aria-label=${view.texts.sources}>
      ${sources.map(
        (source) => html`
          <li key=${source.id + source.quote}>
            <button type="button" class="source" onClick=${() => view.show({ source })}
              aria-label=${fill(view.texts.readSource, { title: source.title })}>
              <${Icon} name="source" /><span>${source.title}</span>
            </button>
          </li>
        `,
      )}
    </ul>
  `;
}

/** @param {{view: View, suggestions: string[], label?: string}} properties */
export function Suggestions({ view, suggestions }) {
  if (!suggestions.length) return null;
  return html`
    <ul class="suggestions" aria-label=${view.texts.suggestions}>
      ${suggestions.map(
        (text) => html`
          <li key=${text}>
            <button type="button" onClick=${() => view.chat.say(text)}>${text}</button>
          </li>
        `,
      )}
    </ul>
  `;
}

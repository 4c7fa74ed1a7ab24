/** The sample shop's page: a few products, and questions that open the chat. */

import { drawingOf } from "../../shared/furniture.js";
import { price } from "../../shared/wording.js";

/** The words and prices of the sample catalogue. */
const PRODUCTS = [
  { name: "Canapé Oslo 3 places", about: "Tissu chiné, hêtre massif", euros: 1299 },
  { name: "Canapé convertible Bergen", about: "Couchage de tous les jours", euros: 899 },
  { name: "Table à manger", about: "Chêne massif huilé", euros: 749 },
  { name: "Lampadaire", about: "Abat-jour en lin", euros: 129 },
];
const SVG = "http://www.w3.org/2000/svg";

function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

function drawing(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 48 48");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", drawingOf(name));
  svg.append(path);
  return svg;
}

function card({ name, about, euros }) {
  return element(
    "li",
    "piece",
    element("div", "piece-picture", drawing(name)),
    element("h3", "", name),
    element("p", "", about),
    element("strong", "", price(euros, "fr")),
  );
}

document.getElementById("products").append(...PRODUCTS.map(card));
for (const button of document.querySelectorAll("[data-say]")) {
  button.addEventListener("click", () => window.SupportChat?.open({ message: button.dataset.say }));
}

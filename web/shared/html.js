/** The one template tag of all pages, and the parts of the libraries that views use. */

import { h, render } from "../vendor/preact.js";
import htm from "../vendor/htm.js";

export { Fragment } from "../vendor/preact.js";
export { useEffect, useLayoutEffect, useRef, useState } from "../vendor/hooks.js";
export { batch, computed, effect, signal } from "../vendor/signals.js";
export { h, render };

export const html = htm.bind(h);

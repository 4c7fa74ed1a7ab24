/** The few signs that buttons bear. */

import { html } from "../shared/html.js";

const PATHS = {
  close: "M6 6l12 12M18 6 6 18",
  down: "M6 9.5l6 6 6-6",
  back: "M14.5 5.5 8 12l6.5 6.5",
  send: "M5 12h13M12.5 6l6 6-6 6",
  attach: "M4 17l5-5 4 4 3-3 4 4M4 5h16v14H4zM15.5 9.5h.01",
  camera: "M4 8h3.5L9 5.5h6L16.5 8H20v11H4zM12 16.5a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4Z",
  source: "M6 4h9l4 4v12H6zM14.5 4v4.5H19M9 13h7M9 16.5h5",
  end: "M12 3.5l2.6 5.5 6 .8-4.4 4.2 1.1 6L12 17.1 6.7 20l1.1-6L3.4 9.8l6-.8z",
  star: "M12 3.5l2.6 5.5 6 .8-4.4 4.2 1.1 6L12 17.1 6.7 20l1.1-6L3.4 9.8l6-.8z",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.5 20.5c.8-3.6 3.8-5.5 7.5-5.5s6.7 1.9 7.5 5.5",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 7v5l3.5 2",
  ticket: "M4 7h16v3.5a1.8 1.8 0 0 0 0 3.5V17H4v-3a1.8 1.8 0 0 0 0-3.5zM14.5 7v10",
  file: "M7 3.5h7l4 4v13H7zM14 3.5V8h4",
  copy: "M9 9h10v11H9zM15 9V4.5H5V15h4",
  check: "M5 12.5l4.5 4.5L19 7.5",
  call: "M6.5 4h3l1.5 4-2 1.5a11 11 0 0 0 5.5 5.5l1.5-2 4 1.5v3a2 2 0 0 1-2.2 2A16 16 0 0 1 4.5 6.2 2 2 0 0 1 6.5 4Z",
  microphone: "M12 15a3 3 0 0 0 3-3V6.5a3 3 0 0 0-6 0V12a3 3 0 0 0 3 3ZM6 11.5a6 6 0 0 0 12 0M12 17.5V21",
  muted: "M9 9v3a3 3 0 0 0 4.5 2.6M15 11V6.5a3 3 0 0 0-5.6-1.5M6 11.5a6 6 0 0 0 9 5.2M18 11.5a6 6 0 0 1-.6 2.6M12 17.5V21M4 4l16 16",
  keypad: "M6 6h.01M12 6h.01M18 6h.01M6 12h.01M12 12h.01M18 12h.01M6 18h.01M12 18h.01M18 18h.01",
};

/** @param {{name: keyof typeof PATHS}} properties */
export const Icon = ({ name }) => html`
  <svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d=${PATHS[name]} /></svg>
`;

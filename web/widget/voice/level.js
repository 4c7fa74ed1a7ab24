/** The level meter: bars that rise with the voice. */

import { html, useEffect, useRef } from "../../shared/html.js";

const BARS = 5;

/** @param {{read: () => number, label: string}} properties `read` says the loudness, 0 to 1 */
export function Level({ read, label }) {
  const meter = useRef(null);
  useEffect(() => {
    let frame = 0;
    let shown = 0;
    const draw = () => {
      // Falls slower than it rises, as meters do.
      shown = Math.max(read(), shown * 0.86);
      meter.current?.style.setProperty("--level", shown.toFixed(3));
      frame = requestAnimationFrame(draw);
    };
    draw();
    return () => cancelAnimationFrame(frame);
  }, [read]);
  return html`
    <span class="level" ref=${meter} role="img" aria-label=${label}>
      ${Array.from({ length: BARS }, (_, index) => html`<i key=${index}></i>`)}
    </span>
  `;
}

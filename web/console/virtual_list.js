/** A long list of rows of one height, of which only those in sight are drawn. */

import { html, useEffect, useLayoutEffect, useRef, useState } from "../shared/html.js";

const AROUND = 6;
// The next page is asked for this many rows before the end.
const EARLY = 30;

/**
 * @param {{rows: any[], id: (row: any) => string, rowHeight: number, selected: string | null,
 *   label: string, draw: (row: any, isSelected: boolean) => any, choose: (row: any) => void,
 *   open: (row: any) => void, more: () => void, isComplete: boolean, foot?: any}} properties
 *   `choose` marks a row, `open` goes into it
 */
export function VirtualList(properties) {
  const { rows, id, rowHeight, selected, label, draw, open, more, isComplete, foot } = properties;
  const place = useRef(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(800);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setHeight(entry.contentRect.height));
    observer.observe(place.current);
    return () => observer.disconnect();
  }, []);
  const at = rows.findIndex((row) => id(row) === selected);
  useLayoutEffect(() => reveal(place.current, at, rowHeight), [selected]);
  const first = Math.max(0, Math.floor(top / rowHeight) - AROUND);
  const last = Math.min(rows.length, Math.ceil((top + height) / rowHeight) + AROUND);
  useEffect(() => {
    if (!isComplete && last > rows.length - EARLY) more();
  }, [last, rows.length, isComplete]);
  const style = { height: `${rows.length * rowHeight}px` };
  return html`
    <div
      class="rows scrolls" ref=${place} tabindex="0" role="listbox" aria-label=${label}
      aria-activedescendant=${at >= first && at < last ? rowId(selected) : undefined}
      onScroll=${(event) => setTop(event.currentTarget.scrollTop)}
    >
      <div class="rows-space" style=${style} role="presentation">
        ${rows.slice(first, last).map((row, index) => {
          const isSelected = first + index === at;
          return html`
            <div
              key=${id(row)} id=${rowId(id(row))} class="list-row" role="option" aria-selected=${String(isSelected)}
              aria-setsize=${isComplete ? rows.length : -1} aria-posinset=${first + index + 1}
              style=${{ top: `${(first + index) * rowHeight}px`, height: `${rowHeight}px` }}
              onClick=${() => open(row)}
            >${draw(row, isSelected)}</div>
          `;
        })}
      </div>
      ${foot}
    </div>
  `;
}

const rowId = (id) => `row-${id}`;

/** Scroll as little as it takes to see a row. */
function reveal(place, at, rowHeight) {
  if (at < 0) return;
  const top = at * rowHeight;
  const bottom = top + rowHeight;
  if (top < place.scrollTop) place.scrollTop = top;
  else if (bottom > place.scrollTop + place.clientHeight) place.scrollTop = bottom - place.clientHeight;
}

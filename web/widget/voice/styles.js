/** How recording and calls look, beside the window's own styles. */

export const STYLES = /* css */ `
.recording { align-items: center; }
.recording-state { flex: 1; min-width: 0; display: flex; align-items: center; gap: 10px; min-height: 40px; }
.seconds { font-variant-numeric: tabular-nums; color: var(--muted); }
.level { --level: 0; display: inline-flex; align-items: center; gap: 3px; height: 24px; color: var(--link); }
.level i { width: 4px; border-radius: 2px; background: currentColor; height: calc(4px + 20px * var(--level) * var(--tall, .6)); }
.level i:nth-child(2), .level i:nth-child(4) { --tall: .8; }
.level i:nth-child(3) { --tall: 1; }

.call .sheet-head .seconds { margin-inline-start: auto; }
.call-question { flex: 1; display: flex; flex-direction: column; gap: 18px; padding: 22px; overflow-y: auto; }
.call-consent { display: flex; gap: 12px; align-items: flex-start; padding: 14px 16px; border-radius: 12px; background: var(--raised); font-size: 14px; cursor: pointer; }
.call-consent input { flex: none; width: 20px; height: 20px; margin: 0; accent-color: var(--link); }
.call .wide { display: flex; align-items: center; justify-content: center; gap: 10px; }
.call-question .wide { margin-top: auto; }
.captions { flex: 1; min-height: 0; overflow-y: auto; display: flex; flex-direction: column; gap: 14px; padding: 20px 22px; overscroll-behavior: contain; }
.captions:focus-visible { outline-offset: -3px; }
.captions > :first-child { margin-top: auto; }
.caption { font-size: 17px; line-height: 1.45; overflow-wrap: anywhere; }
.caption .author { display: block; }
.caption:not(:has(.author)) { margin-top: -8px; }
.caption-you { padding-inline-start: 12px; border-inline-start: 3px solid var(--link); }
.caption-partial { color: var(--muted); font-style: italic; }
.call-state { padding: 10px 22px; font-size: 14px; color: var(--muted); text-align: center; border-top: 1px solid var(--line); }
.call-state:empty { display: none; }
.recorded { display: inline-block; width: 9px; height: 9px; margin-inline-end: 8px; border-radius: 50%; background: var(--bad); }
.call-controls { display: flex; align-items: center; justify-content: center; gap: 16px; padding: 8px 22px calc(20px + env(safe-area-inset-bottom)); }
.call-controls .level { position: absolute; inset-inline-start: 26px; }
.round { width: 56px; height: 56px; flex: none; display: grid; place-items: center; border-radius: 50%; background: var(--raised); }
.round:hover { background: var(--line); }
.round[aria-pressed=true], .round[aria-expanded=true] { background: var(--ink); color: var(--ground); }
.round .icon { width: 24px; height: 24px; }
.round[aria-expanded] .icon { stroke-width: 3; }
.hang-up, .hang-up:hover { background: #b3261e; color: #fff; }
.hang-up .icon { transform: rotate(135deg); }
.keypad { display: grid; grid-template-columns: repeat(3, 72px); justify-content: center; gap: 8px; padding: 4px 22px 12px; }
.keypad button { height: 46px; border-radius: 12px; background: var(--raised); font-size: 19px; font-variant-numeric: tabular-nums; }
.keypad button:hover { background: var(--line); }
.call-ended { display: flex; flex-direction: column; gap: 8px; padding: 4px 22px calc(20px + env(safe-area-inset-bottom)); text-align: center; }
@media (forced-colors: active) { .round, .keypad button { border: 1px solid; } .level i { background: CanvasText; } }
`;

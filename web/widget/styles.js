/** How the window looks. Colours are pairs for light and dark; the shop's own is `--accent`. */

export const STYLES = /* css */ `
.frame {
  --ground: light-dark(#ffffff, #171a19);
  --raised: light-dark(#f5f4f1, #222725);
  --line: light-dark(#e4e2dc, #343a37);
  --ink: light-dark(#1d2422, #eceeec);
  --muted: light-dark(#5c6562, #a3aca8);
  --link: light-dark(oklch(from var(--accent) min(l, .48) c h), oklch(from var(--accent) max(l, .78) c h));
  --tint: light-dark(color-mix(in oklab, var(--accent) 9%, #fff), color-mix(in oklab, var(--accent) 26%, #171a19));
  --good: light-dark(#1c6b45, #7fd3a6);
  --bad: light-dark(#a32b21, #f5a79f);
  --mark: light-dark(#fdecb8, #5b4a12);
  font: 400 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
  color: var(--ink);
}
.frame *, .frame *::before { box-sizing: border-box; }
.frame :where(p, ul, ol, h2, h3, fieldset, blockquote) { margin: 0; padding: 0; border: 0; }
.frame :where(ul, ol) { list-style: none; }
.frame :where(button, textarea, input) { font: inherit; color: inherit; }
.frame :where(button) { background: none; border: 0; padding: 0; cursor: pointer; }
.frame :focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.icon { width: 20px; height: 20px; flex: none; fill: none; stroke: currentColor; stroke-width: 1.6; stroke-linecap: round; stroke-linejoin: round; }
.quiet { color: var(--muted); font-size: 13px; }
.padded { padding: 20px; }

.panel {
  position: absolute; inset: auto 0 76px auto; width: 400px; height: min(660px, calc(100dvh - 116px));
  display: flex; flex-direction: column; overflow: hidden; background: var(--ground);
  border: 1px solid var(--line); border-radius: 18px;
  box-shadow: 0 2px 6px #00000014, 0 24px 60px -12px #00000040;
  animation: rise .18s ease-out;
}
:host([data-position=left]) .panel { inset: auto auto 76px 0; }
@keyframes rise { from { opacity: 0; transform: translateY(10px); } }
.under { display: flex; flex-direction: column; flex: 1; min-height: 0; }

.head { display: flex; align-items: center; gap: 12px; padding: 14px 12px 14px 18px; border-bottom: 1px solid var(--line); }
.mark { width: 36px; height: 36px; border-radius: 50%; display: grid; place-items: center; background: var(--accent); color: var(--on-accent); font: 600 17px/1 Georgia, "Times New Roman", serif; }
.names { flex: 1; min-width: 0; }
.head h2 { font-size: 15.5px; line-height: 1.25; font-weight: 650; letter-spacing: -.005em; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.head p { font-size: 13px; line-height: 1.35; color: var(--muted); }
.tool { width: 40px; height: 40px; flex: none; display: grid; place-items: center; border-radius: 50%; color: var(--muted); }
.tool:hover { background: var(--raised); color: var(--ink); }

.banner { display: flex; gap: 10px; align-items: flex-start; padding: 10px 18px; font-size: 13.5px; line-height: 1.4; background: var(--tint); border-bottom: 1px solid var(--line); }
.banner .icon { width: 18px; height: 18px; color: var(--link); }
.banner-cut { background: var(--raised); color: var(--muted); }

.scroll { flex: 1; min-height: 0; overflow-y: auto; overscroll-behavior: contain; scrollbar-width: thin; scrollbar-color: var(--line) transparent; }
.scroll:focus-visible { outline-offset: -3px; }
.thread { min-height: 100%; display: flex; flex-direction: column; gap: 10px; padding: 20px 18px 16px; }
.reply { max-width: 92%; display: flex; flex-direction: column; align-items: flex-start; gap: 6px; }
.reply:not(:first-child) { margin-top: 6px; }
.author { font-size: 12.5px; color: var(--muted); }
.author time { margin-inline-start: 8px; font-variant-numeric: tabular-nums; }
.bubble { padding: 10px 14px; border-radius: 4px 16px 16px 16px; background: var(--raised); overflow-wrap: anywhere; }
.reply-person .bubble { background: var(--tint); }
.bubble p + p, .bubble p + ul, .bubble ul + p { margin-top: .6em; }
.bubble ul { display: grid; gap: 3px; padding-inline-start: 1.1em; list-style: disc; }
.bubble li::marker { color: var(--muted); }
.bubble a { color: var(--link); text-underline-offset: 2px; }
.said { align-self: flex-end; max-width: 84%; display: flex; flex-direction: column; align-items: flex-end; gap: 4px; margin-top: 10px; }
.said .bubble { background: var(--accent); color: var(--on-accent); border-radius: 16px 16px 4px 16px; white-space: pre-line; }
.attached { display: flex; flex-wrap: wrap; justify-content: flex-end; gap: 6px; }
.attached :is(img, video) { display: block; width: 152px; height: 114px; object-fit: cover; border-radius: 12px; background: var(--raised); }
.file { display: flex; align-items: center; gap: 8px; padding: 8px 12px; max-width: 220px; border: 1px solid var(--line); border-radius: 10px; font-size: 13px; }
.file span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }

.event { align-self: center; max-width: 90%; padding: 6px 0; font-size: 13px; color: var(--muted); text-align: center; text-wrap: balance; }
.thread > .wide { margin-top: 6px; }
.writing { display: flex; gap: 5px; align-items: center; padding: 14px 16px; width: max-content; border-radius: 4px 16px 16px 16px; background: var(--raised); }
.writing i { width: 6px; height: 6px; border-radius: 50%; background: var(--muted); animation: breathe 1.2s ease-in-out infinite; }
.writing i:nth-child(2) { animation-delay: .16s; }
.writing i:nth-child(3) { animation-delay: .32s; }
@keyframes breathe { 0%, 60%, 100% { opacity: .3; } 30% { opacity: 1; } }
.failure { font-size: 13.5px; color: var(--bad); }
.failure button { text-decoration: underline; text-underline-offset: 2px; padding: 4px; }
.thread > .failure { align-self: flex-end; text-align: end; }
.sheet .failure { padding: 16px 20px 0; }

.sources { display: flex; flex-wrap: wrap; gap: 6px; max-width: 100%; }
.sources li { max-width: 100%; }
.source { display: flex; align-items: center; gap: 6px; max-width: 100%; padding: 5px 10px 5px 7px; border: 1px solid var(--line); border-radius: 8px; font-size: 13px; line-height: 1.35; color: var(--muted); text-align: start; }
.source:hover { color: var(--ink); border-color: var(--muted); }
.source .icon { width: 16px; height: 16px; }
.source span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }

.suggestions { display: flex; flex-wrap: wrap; justify-content: flex-end; gap: 8px; margin-top: auto; padding-top: 10px; }
.suggestions button { padding: 7px 14px; border: 1px solid color-mix(in oklab, var(--link) 45%, var(--ground)); border-radius: 999px; font-size: 14px; line-height: 1.35; color: var(--link); text-align: start; }
.suggestions button:hover { background: var(--tint); }

.products { display: flex; gap: 10px; width: calc(100cqw - 36px); max-width: none; padding: 2px 2px 8px; overflow-x: auto; scroll-snap-type: x proximity; scrollbar-width: thin; scrollbar-color: var(--line) transparent; }
.scroll { container-type: inline-size; }
.product { flex: 0 0 176px; display: flex; flex-direction: column; scroll-snap-align: start; overflow: hidden; border: 1px solid var(--line); border-radius: 14px; background: var(--ground); }
.picture { display: block; width: 100%; height: 112px; object-fit: cover; background: var(--raised); }
.picture-drawn { display: grid; place-items: center; color: var(--link); }
.picture-drawn svg { width: 78px; height: 78px; fill: none; stroke: currentColor; stroke-width: 1.1; stroke-linecap: round; stroke-linejoin: round; }
.product-facts { flex: 1; display: flex; flex-direction: column; gap: 2px; padding: 10px 12px 12px; }
.product-name { font-size: 13.5px; line-height: 1.35; }
.product-price { font-size: 15.5px; font-weight: 650; font-variant-numeric: tabular-nums; }
.stock { font-size: 13px; color: var(--good); }
.stock::before { content: ""; display: inline-block; width: 7px; height: 7px; margin-inline-end: 6px; border-radius: 50%; background: currentColor; }
.stock-none { color: var(--muted); }
.product-link { margin-top: auto; padding-top: 8px; font-size: 13.5px; font-weight: 550; color: var(--link); text-align: start; text-decoration: underline; text-decoration-color: transparent; text-underline-offset: 3px; }
.product-link:hover { text-decoration-color: currentColor; }

.ticket { width: calc(100cqw - 36px); max-width: 340px; padding: 14px 16px; border: 1px solid var(--line); border-radius: 14px; }
.ticket-head { display: flex; align-items: center; gap: 8px; }
.ticket-head .icon { color: var(--link); }
.ticket strong { font-size: 14.5px; font-weight: 650; font-variant-numeric: tabular-nums; }
.small-button { width: 28px; height: 28px; display: grid; place-items: center; border-radius: 8px; }
.small-button:hover { background: var(--raised); }
.small-button .icon { width: 16px; height: 16px; }
.state { margin-inline-start: auto; padding: 2px 10px; border-radius: 999px; font-size: 12.5px; background: var(--tint); color: var(--link); }
.steps { display: grid; grid-template-columns: repeat(3, 1fr); gap: 6px; margin: 12px 0 10px; font-size: 12.5px; color: var(--muted); }
.steps li { padding-top: 7px; border-top: 3px solid var(--line); }
.steps .reached { color: var(--ink); border-color: var(--link); }

.composer { padding: 10px 12px calc(12px + env(safe-area-inset-bottom)); border-top: 1px solid var(--line); }
.writing-line { display: flex; align-items: flex-end; gap: 2px; padding: 3px; border: 1px solid light-dark(#bcc1be, #4d5653); border-radius: 24px; }
.writing-line:focus-within { border-color: var(--link); box-shadow: 0 0 0 1px var(--link); }
.composer textarea { flex: 1; min-width: 0; resize: none; min-height: 40px; max-height: 140px; padding: 8px 6px; border: 0; background: transparent; line-height: 1.5; }
.composer textarea:focus-visible { outline: none; }
.frame textarea::placeholder { color: var(--muted); opacity: 1; }
.send { width: 40px; height: 40px; flex: none; display: grid; place-items: center; border-radius: 50%; background: var(--accent); color: var(--on-accent); transition: opacity .12s; }
.send[aria-disabled=true] { background: var(--raised); color: var(--muted); cursor: default; }
.files { display: flex; gap: 8px; padding: 4px 4px 10px; overflow-x: auto; }
.composer .failure { padding: 0 6px 8px; }
.upload { position: relative; flex: none; }
.upload :is(img, video) { display: block; width: 64px; height: 64px; object-fit: cover; border-radius: 10px; background: var(--raised); }
.upload .file { height: 64px; max-width: 150px; }
.upload-sending :is(img, video) { opacity: .55; }
.upload-failed { outline: 2px solid var(--bad); border-radius: 10px; }
.upload progress { position: absolute; inset: auto 6px 6px; width: calc(100% - 12px); height: 5px; appearance: none; border: 0; border-radius: 3px; overflow: hidden; background: #0006; }
.upload progress::-webkit-progress-bar { background: #0006; }
.upload progress::-webkit-progress-value { background: #fff; }
.upload progress::-moz-progress-bar { background: #fff; }
.remove { position: absolute; inset: -7px -7px auto auto; width: 24px; height: 24px; display: grid; place-items: center; border-radius: 50%; background: var(--ink); color: var(--ground); }
.remove .icon { width: 13px; height: 13px; stroke-width: 2.4; }
.drop { position: absolute; inset: 8px; display: grid; place-items: center; border: 2px dashed var(--link); border-radius: 12px; background: color-mix(in oklab, var(--ground) 92%, transparent); font-weight: 600; pointer-events: none; }

.sheet { position: absolute; inset: 0; display: flex; flex-direction: column; background: var(--ground); animation: rise .16s ease-out; }
.sheet-head { display: flex; align-items: center; gap: 6px; padding: 12px 18px 12px 10px; border-bottom: 1px solid var(--line); }
.sheet h3 { font-size: 15.5px; line-height: 1.3; font-weight: 650; }
.cited, .sheet blockquote { flex: 1; overflow-y: auto; padding: 20px 22px 28px; white-space: pre-line; overflow-wrap: anywhere; line-height: 1.6; }
.cited:focus-visible { outline-offset: -3px; }
.cited mark { padding: .12em 0; border-radius: 3px; background: var(--mark); color: inherit; box-decoration-break: clone; -webkit-box-decoration-break: clone; }
.rating { display: flex; flex-direction: column; gap: 18px; padding: 26px 22px; overflow-y: auto; }
.stars { text-align: center; min-width: 0; }
.stars legend { width: 100%; padding: 0 0 14px; font-size: 17px; font-weight: 650; line-height: 1.35; }
.star { display: inline-block; padding: 4px; border-radius: 8px; cursor: pointer; color: var(--muted); }
.star input { position: absolute; opacity: 0; width: 1px; height: 1px; }
.star .icon { width: 36px; height: 36px; stroke-width: 1.2; }
.star.chosen { color: var(--link); }
.star.chosen .icon { fill: currentColor; }
.star:has(:focus-visible) { outline: 2px solid var(--link); }
.stars output { display: block; padding-top: 6px; color: var(--muted); font-size: 14px; }
.rating label { font-size: 14px; }
.rating textarea { display: block; width: 100%; margin-top: 6px; padding: 10px 12px; border: 1px solid light-dark(#8b9390, #6b7571); border-radius: 10px; background: transparent; resize: vertical; }
.wide { padding: 12px 18px; border-radius: 12px; background: var(--accent); color: var(--on-accent); font-weight: 600; }
.wide:disabled { background: var(--raised); color: var(--muted); cursor: default; }
.plain { padding: 8px; color: var(--link); }
.thanks { display: flex; align-items: center; justify-content: center; gap: 10px; font-size: 17px; font-weight: 600; }

@media (max-width: 520px) {
  :host([data-open]) { inset: 0; }
  :host([data-open]) .launcher { display: none; }
  .panel, :host([data-position=left]) .panel { position: fixed; inset: 0; width: auto; height: 100dvh; border: 0; border-radius: 0; padding-top: env(safe-area-inset-top); }
  .composer textarea, .rating textarea { font-size: 16px; }
  .tool, .send { width: 44px; height: 44px; }
  .composer textarea { min-height: 44px; padding-top: 10px; }
}
@media (prefers-reduced-motion: reduce) { .frame *, .frame *::before { animation: none !important; transition: none !important; } }
@media (forced-colors: active) { .bubble, .send, .launcher { border: 1px solid; } }
`;

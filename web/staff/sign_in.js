/** The door: e-mail and password, before anything else is shown. */

import { html, useRef, useState } from "../shared/html.js";
import { fill } from "../shared/wording.js";
import { chooseLanguage, LANGUAGES } from "./preferences.js";

/** @param {{staff: import("./staff.js").Staff}} properties */
export function SignIn({ staff }) {
  const { common, session } = staff;
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const form = useRef(null);
  const submit = async (event) => {
    event.preventDefault();
    const entered = new FormData(form.current);
    setBusy(true);
    setProblem("");
    try {
      await session.signIn(String(entered.get("email")).trim(), String(entered.get("password")));
    } catch (error) {
      setBusy(false);
      setProblem(refusalText(common, error));
      form.current.querySelector("[name=password]").focus();
    }
  };
  return html`
    <main class="door">
      <form class="door-card stack" ref=${form} onSubmit=${submit}>
        <div>
          <h1>${common.signInTitle}</h1>
          <p class="muted">${common.signInText}</p>
        </div>
        <div class="field">
          <label for="email">${common.email}</label>
          <input class="input" id="email" name="email" type="email" autocomplete="username" required autofocus />
        </div>
        <div class="field">
          <label for="password">${common.password}</label>
          <input class="input" id="password" name="password" type="password" autocomplete="current-password" required />
        </div>
        ${problem && html`<p class="field-problem" role="alert">${problem}</p>`}
        <button class="button button-primary button-wide" disabled=${isBusy}>
          ${isBusy ? common.signingIn : common.signIn}
        </button>
      </form>
      <${Languages} staff=${staff} />
    </main>
  `;
}

function Languages({ staff }) {
  const { common, language } = staff;
  return html`
    <div class="door-foot">
      ${LANGUAGES.map((one) => html`
        <button type="button" class=${one === language ? "" : "link"} lang=${one} aria-pressed=${String(one === language)} onClick=${() => chooseLanguage(one)}>
          ${common.languages[one]}
        </button>
      `)}
    </div>
  `;
}

function refusalText(common, error) {
  if (error.status === 401 || error.status === 400) return common.badCredentials;
  if (error.status === 429) return fill(common.tooManyAttempts, { seconds: error.retryAfter ?? 60 });
  return common.unreachable;
}

/** The agents' console at `/console`. */

import { openStaff } from "../staff/staff.js";
import { App } from "./app.js";

openStaff({
  area: "console",
  permission: "conversations:write",
  catalogues: {
    fr: () => import("./texts_fr.js"),
    en: () => import("./texts_en.js"),
  },
  App,
});

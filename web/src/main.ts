/** What comes first, and small: the gate is asked at once, beside all that shows what it answers. */
import { begin } from "~/api/live";
import { sessionState, watchSession } from "~/api/session";
import { askWho } from "~/api/who";
import { PAGES, pageAt } from "~/app/pages";

void import("~/app/start");
askWho();

const page = pageAt(window.location.pathname);
page?.load().catch(() => undefined); // the route asks again, and says what is wrong

if (page === PAGES.overview) {
  const stop = watchSession(() => {
    const now = sessionState();
    if (now.kind === "in" && now.session.rights.includes("status")) begin();
    stop();
  });
}

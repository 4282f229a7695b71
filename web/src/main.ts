/** What comes first, and small: the gate is asked at once, beside all that shows what it answers. */
import { begin } from "~/api/live";
import { sessionState, watchSession } from "~/api/session";
import { askWho } from "~/api/who";
import { dress, warm } from "~/app/looks";
import { PAGES, pageAt } from "~/app/pages";

const PATIENCE_MS = 250; // for answers: a page that is drawn once is there sooner than one that is drawn again
const page = pageAt(window.location.pathname);

/** Who is there, and what the overview shows them. */
const answered = new Promise<void>((done) => {
  setTimeout(done, PATIENCE_MS);
  const stop = watchSession(() => {
    stop();
    const now = sessionState();
    if (page === PAGES.overview && now.kind === "in" && now.session.rights.includes("status")) begin(done);
    else done();
    warm();
  });
});

askWho();
const code = page?.load().catch(() => undefined); // the route asks again, and says what is wrong
const drawn = import("~/app/start");
dress();
void Promise.all([drawn, code]).then(async ([{ prepared }, opened]) => {
  const draw = prepared(page && opened && { page, code: opened });
  await answered;
  draw();
});

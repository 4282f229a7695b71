import type { Stage } from "../types";
import { candidatesOf, explain, lanesOf, measuredOf, nameOf, timeOf } from "./explain";
import { useTeller } from "./useTeller";
import { type Bar, type Kind, waterfallOf } from "./waterfall";
import classes from "./waterfall.module.css";

const KINDS: readonly Kind[] = ["gate", "wait", "served", "failed", "moment"];

/** The stages of a call on one axis of time: what waited, who was asked, what was decided. */
export function Waterfall({ stages }: { stages: readonly Stage[] }) {
  const teller = useTeller();
  const { t, format } = teller;
  const { bars, ticks } = waterfallOf(stages);
  return (
    <div className={classes.waterfall}>
      <div className={classes.legend} aria-hidden>
        {KINDS.map((kind) => (
          <span key={kind}>
            <i className={classes.sample} data-kind={kind} /> {t(`kind_${kind}`)}
          </span>
        ))}
      </div>
      <div className={classes.axis} aria-hidden>
        <div className={classes.scale}>
          {ticks.map((tick) => (
            <span key={tick.us} className={classes.tick} style={{ left: `${tick.left}%` }}>
              {timeOf(format, tick.us)}
            </span>
          ))}
        </div>
      </div>
      <ol className={classes.stages} aria-label={t("stages")}>
        {bars.map((bar, index) => (
          <Row key={`${index} ${bar.stage.stage}`} bar={bar} ticks={ticks} />
        ))}
      </ol>
    </div>
  );
}

function Row({ bar, ticks }: { bar: Bar; ticks: readonly { us: number; left: number }[] }) {
  const teller = useTeller();
  const { t, format } = teller;
  const { stage, kind, left, width } = bar;
  const lasted = stage.lasted_us;
  return (
    <li className={classes.stage}>
      <div className={classes.name}>
        <strong>{nameOf(t, stage)}</strong>
        {stage.target ? <span className={classes.target}>{stage.target}</span> : null}
      </div>
      <div className={classes.track} aria-hidden>
        {ticks.map((tick) => (
          <i key={tick.us} className={classes.line} style={{ left: `${tick.left}%` }} />
        ))}
        <i
          className={classes.bar}
          data-kind={kind}
          style={kind === "moment" ? { left: `${left}%` } : { left: `${left}%`, width: `${width}%` }}
        />
      </div>
      <div className={classes.time}>
        <span className="tg-unseen">{t("begins_at")} </span>
        {timeOf(format, stage.at_us)}
        {lasted ? <span className={classes.lasted}>{t("lasted_n", { time: timeOf(format, lasted) })}</span> : null}
      </div>
      <div className={classes.said}>
        <Said stage={stage} />
      </div>
    </li>
  );
}

/** What a stage was, with what matters beside it: candidates, accounts, figures, headers. */
export function Said({ stage }: { stage: Stage }) {
  const teller = useTeller();
  const { t } = teller;
  const candidates = candidatesOf(teller, stage);
  const lanes = lanesOf(teller, stage);
  const measured = measuredOf(teller, stage);
  const headers = stage.headers;
  return (
    <>
      <div>{explain(teller, stage)}</div>
      {measured.length ? <div className="tg-soft">{measured.join(" · ")}</div> : null}
      {candidates.length ? (
        <ul className={classes.candidates} aria-label={t("candidates")}>
          {candidates.map((one) => (
            <li key={one.name}>
              <code>{one.name}</code> {one.wait}
            </li>
          ))}
        </ul>
      ) : null}
      {lanes.length ? (
        <ul className={classes.candidates} aria-label={t("lanes")}>
          {lanes.map((one) => (
            <li key={one.name}>
              <code>{one.name}</code> {one.taken ? <strong>{one.stood}</strong> : one.stood}
            </li>
          ))}
        </ul>
      ) : null}
      {headers.length ? (
        <ul className={classes.headers} aria-label={t("headers")}>
          {headers.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      ) : null}
    </>
  );
}

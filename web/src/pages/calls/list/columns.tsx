import { useFormat } from "~/i18n/format";
import type { Column } from "~/parts/DataTable";
import { Moment } from "~/parts/Moment";
import classes from "../calls.module.css";
import { Ending } from "../Ending";
import { useReasons } from "../reasons";
import { layerOf } from "../chain/explain";
import type { Call } from "../types";
import { useCallWords } from "../words";

/** What a list of calls shows of each. */
export function useCallColumns(): Column<Call>[] {
  const t = useCallWords();
  const format = useFormat();
  const reasons = useReasons();
  const said = (one: Call) => (one.cache ? t("cache_said", { said: one.cache }) : "–");
  const model = (one: Call) => (one.served && one.served !== one.model ? `${one.model} → ${one.served}` : one.model);
  return [
    { key: "at", title: t("ended_at"), width: "12.5rem", cell: (one) => <Moment at={one.at} /> },
    { key: "status", title: t("status"), width: "6.5rem", cell: (one) => <Ending status={one.status} short /> },
    { key: "whose", title: t("whose"), width: "0.8fr", cell: (one) => whose(one) || "–", sort: whose },
    { key: "model", title: t("model"), width: "1.6fr", cell: (one) => <span title={model(one)}>{model(one)}</span> },
    { key: "where", title: t("provider"), width: "1fr", cell: where, sort: where },
    {
      key: "took",
      title: t("took"),
      width: "6rem",
      right: true,
      cell: (one) => format.milliseconds(one.duration_us / 1000),
      sort: (one) => one.duration_us,
    },
    {
      key: "waited",
      title: t("waited"),
      width: "6rem",
      right: true,
      cell: (one) => (one.waited_us ? format.milliseconds(one.waited_us / 1000) : "–"),
      sort: (one) => one.waited_us,
    },
    {
      key: "tokens",
      title: t("tokens"),
      width: "6rem",
      right: true,
      cell: (one) => format.short(one.prompt_tokens + one.completion_tokens),
      sort: (one) => one.prompt_tokens + one.completion_tokens,
    },
    {
      key: "why",
      title: t("befell"),
      width: "1.6fr",
      cell: (one) => (
        <span className={classes.befell} title={one.why}>
          {reasons(one.why) || (one.hit ? t("cache_answered", { layer: layerOf(t, one.hit.layer) }) : said(one))}
        </span>
      ),
    },
  ];
}

const whose = (one: Call) => [one.namespace, one.user].filter(Boolean).join(" / ");
const where = (one: Call) => [one.provider, one.scope].filter(Boolean).join(" / ") || "–";

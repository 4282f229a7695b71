import { Anchor, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { get } from "~/api/client";
import { useFormat } from "~/i18n/format";
import { Facts } from "~/parts/Facts";
import { Moment } from "~/parts/Moment";
import { Money } from "~/parts/Money";
import { Problem } from "~/parts/Problem";
import classes from "../calls.module.css";
import type { CallCache } from "../types";
import { useCallWords } from "../words";
import { Judge } from "./Judge";
import { isAbsent } from "./useChain";
import { useCurrency } from "./useCurrency";

/** What the cache had to do with a call: whose answer it got, or whom its answer served. */
export function CachePart({ call }: { call: string }) {
  const t = useCallWords();
  const { data, error, refetch } = useQuery<CallCache>({
    queryKey: ["calls", "cache", call],
    retry: false,
    queryFn: ({ signal }) => get("/calls/{call}/cache", { path: { call: call as unknown as number }, signal }),
  });
  return (
    <section className={`tg-panel ${classes.panel}`} aria-labelledby="cache">
      <Title order={2} id="cache" mb="sm">
        {t("cache")}
      </Title>
      {isAbsent(error) ? (
        <Text size="sm" className="tg-soft">
          {t("cache_nothing")}
        </Text>
      ) : (
        <Problem error={error} retry={() => void refetch()} />
      )}
      {data ? <Known cache={data} /> : null}
    </section>
  );
}

function Known({ cache }: { cache: CallCache }) {
  const t = useCallWords();
  const format = useFormat();
  const currency = useCurrency();
  const { compared } = cache;
  const to = (id: string) => (
    <Anchor key={id} component={Link} to={`/calls/${id}`} size="sm">
      {id}
    </Anchor>
  );
  return (
    <>
      <Facts
        of={[
          [t("outcome"), t(cache.outcome === "hit" ? "cache_hit" : "cache_made")],
          [t("cache_word"), cache.said],
          [t("cache_kept"), cache.kept],
          [t("cache_layer"), cache.layer],
          [t("cache_source"), cache.source ? to(cache.source) : undefined],
          [t("similarity"), cache.similarity == null ? undefined : format.number(cache.similarity, 4)],
          [t("age"), cache.age_seconds == null ? undefined : format.milliseconds(cache.age_seconds * 1000)],
          [
            t("saved"),
            cache.saved == null ? undefined : <Money key="saved" amount={cache.saved} currency={currency} />,
          ],
          [t("cache_charged"), cache.charged == null ? undefined : t(cache.charged ? "yes" : "no")],
          [t("cache_key"), cache.answer ? <code key="answer">{cache.answer}</code> : undefined],
          [t("cache_served"), cache.served_calls ? format.number(cache.served_calls) : undefined],
          [t("compared_to"), compared ? to(compared.source) : undefined],
          [t("compared_similarity"), compared ? format.number(compared.similarity, 4) : undefined],
          [t("compared_came"), compared ? t(compared.served ? "compared_served" : "compared_not") : undefined],
          [t("compared_why"), compared?.why],
          [t("judged"), compared?.judged],
        ]}
      />
      {cache.served.length ? (
        <ul className={classes.served} aria-label={t("cache_served_list")}>
          {cache.served.map((one) => (
            <li key={one.id}>
              {to(one.id)} <Moment at={one.at} ago /> · {one.layer} · {one.namespace || "–"}
            </li>
          ))}
        </ul>
      ) : null}
      {cache.outcome === "hit" || compared ? <Judge call={cache.id} /> : null}
    </>
  );
}

import { Anchor, Title } from "@mantine/core";
import { Link } from "react-router";
import { Facts } from "~/parts/Facts";
import { Moment } from "~/parts/Moment";
import { Money } from "~/parts/Money";
import classes from "../calls.module.css";
import { Ending } from "../Ending";
import { requestOf } from "../ids";
import type { Chain } from "../types";
import { useCallWords } from "../words";
import { timeOf } from "./explain";
import { useCurrency } from "./useCurrency";
import { useTeller } from "./useTeller";

/** Who asked for what, and how it ended. */
export function WhoAndHow({ call }: { call: Chain }) {
  const t = useCallWords();
  const { format, reasons } = useTeller();
  const time = (us: number | undefined) => (us ? timeOf(format, us) : undefined);
  return (
    <section className={`tg-panel ${classes.panel}`} aria-labelledby="facts">
      <Title order={2} id="facts" mb="sm">
        {t("facts")}
      </Title>
      <Facts
        of={[
          [t("outcome"), <Ending key="status" status={call.status} />],
          [t("befell"), reasons(call.why)],
          [t("ended_at"), <Moment key="at" at={call.at} />],
          [t("took"), time(call.duration_us)],
          [t("waited"), time(call.waited_us)],
          [t("queued_for"), time(call.queued_us)],
          [t("first_byte"), time(call.first_byte_us)],
          [t("first_token"), time(call.first_token_us)],
          [t("namespace"), call.namespace],
          [t("user"), call.user],
          [t("key"), call.key],
          [t("tier"), call.tier],
          [t("tag"), call.tag],
          [t("plan"), call.plan],
          [t("model"), call.model],
          [t("served"), call.served],
          [t("provider"), [call.provider, call.scope].filter(Boolean).join(" / ")],
          [t("account"), call.account ? <code key="account">{call.account}</code> : undefined],
          [t("streamed"), t(call.streamed ? "yes" : "no")],
          [t("degraded"), reasons(call.degraded)],
        ]}
      />
    </section>
  );
}

/** What it took: tokens reserved, counted and used, money, bytes; and by which ids others know it. */
export function WhatItTook({ call }: { call: Chain }) {
  const t = useCallWords();
  const { format } = useTeller();
  const currency = useCurrency();
  const some = (value: number | undefined) => (value ? format.number(value) : undefined);
  const link = (name: "trace" | "request", value: string | undefined) =>
    value ? (
      <Anchor key={name} component={Link} to={`/calls?mode=search&${name}=${encodeURIComponent(value)}`} size="sm">
        <code>{value}</code>
      </Anchor>
    ) : undefined;
  return (
    <section className={`tg-panel ${classes.panel}`} aria-labelledby="took">
      <Title order={2} id="took" mb="sm">
        {t("what_it_took")}
      </Title>
      <Facts
        of={[
          [t("tokens_reserved"), some(call.reserved_tokens)],
          [t("tokens_charged"), format.number(call.charged_tokens)],
          [
            t("tokens_used"),
            `${t("in_out", { prompt: call.prompt_tokens, completion: call.completion_tokens })}${call.estimated ? ` (${t("estimated")})` : ""}`,
          ],
          [t("cached_tokens"), some(call.cached_tokens)],
          [t("written_tokens"), some(call.written_tokens)],
          [t("most_tokens"), some(call.most_tokens)],
          [t("cost"), currency ? <Money key="cost" amount={call.cost} currency={currency} /> : call.cost],
          [t("attempts"), format.number(call.attempts)],
          [t("request_bytes"), some(call.request_bytes)],
          [t("answer_bytes"), some(call.answer_bytes)],
          [t("deadline"), call.deadline_us ? timeOf(format, call.deadline_us) : undefined],
          [t("id_of_gate"), <code key="id">{requestOf(call.id)}</code>],
          [t("request"), link("request", call.request_id)],
          [t("trace"), link("trace", call.trace_id)],
        ]}
      />
    </section>
  );
}

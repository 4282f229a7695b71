import { Skeleton, Text, TextInput, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useSearchParams } from "react-router";
import { get } from "~/api/client";
import { IconSearch } from "~/parts/icons";
import { Page } from "~/parts/Page";
import { Problem } from "~/parts/Problem";
import classes from "./accounts.module.css";
import { ScopeCard } from "./ScopeCard";
import { byLane, matching, type Outlook, type Provider } from "./standing";
import { useAccountWords } from "./words";

/** Providers, their accounts and keys, refreshed every two seconds. */
export default function Accounts() {
  const t = useAccountWords();
  const [params, setParams] = useSearchParams();
  const words = params.get("q") ?? "";
  const { data, error, refetch, isPending } = useQuery({
    queryKey: ["accounts"],
    refetchInterval: 2_000,
    queryFn: ({ signal }) => get("/accounts", { signal }),
  });
  const { data: outlooks } = useQuery({
    queryKey: ["usage", "outlook"],
    refetchInterval: 60_000,
    queryFn: ({ signal }) => get("/usage/outlook", { signal }),
  });
  const known = useMemo(() => byLane(outlooks ?? []), [outlooks]);
  const shown = matching(data?.providers ?? [], words);
  const filter = (typed: string) => setParams(typed ? { q: typed } : {}, { replace: true });
  return (
    <Page title={t("title")} lead={t("lead")}>
      <Problem error={error} retry={() => void refetch()} />
      <TextInput
        className={classes.filter}
        aria-label={t("filter")}
        placeholder={t("filter")}
        leftSection={<IconSearch aria-hidden size={16} />}
        value={words}
        onChange={(event) => filter(event.target.value)}
      />
      {isPending ? <Skeleton height={320} /> : null}
      {data && shown.length === 0 ? <Text className="tg-soft">{t("none")}</Text> : null}
      {shown.map((provider) => (
        <One
          key={provider.name}
          provider={provider}
          whole={data?.providers.find((one) => one.name === provider.name) ?? provider}
          outlooks={known}
        />
      ))}
      <Text size="sm" className="tg-soft">
        {t("node_only")}
      </Text>
    </Page>
  );
}

interface Props {
  provider: Provider;
  /** With the scopes that the filter hides. */
  whole: Provider;
  outlooks: ReadonlyMap<string, Outlook[]>;
}

function One({ provider, whole, outlooks }: Props) {
  return (
    <section aria-label={provider.name} className={classes.provider}>
      <div className={classes.head}>
        <Title order={2} className={classes.title}>
          {provider.name}
        </Title>
        <Text size="sm" className="tg-soft">
          {provider.dialect} · {provider.base_url_host}
        </Text>
      </div>
      {provider.scopes.map((scope) => (
        <ScopeCard key={scope.name} provider={whole} scope={scope} outlooks={outlooks} />
      ))}
    </section>
  );
}

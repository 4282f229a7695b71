import { Anchor, Code, Text, Title } from "@mantine/core";
import { Link } from "react-router";
import classes from "./drills.module.css";
import { useDrillWords } from "./words";

/** What to write into the configuration where there is nothing to show yet. */
export function Nothing({ title, remedy, snippet }: { title: string; remedy: string; snippet: string }) {
  const t = useDrillWords();
  return (
    <section className={`tg-panel ${classes.panel}`}>
      <Title order={2}>{title}</Title>
      <Text size="sm" mb="xs">
        {remedy}{" "}
        <Anchor component={Link} to="/policies" size="sm">
          {t("to_policy")}
        </Anchor>
      </Text>
      <Code block>{snippet}</Code>
    </section>
  );
}

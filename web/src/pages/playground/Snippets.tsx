import { Button, CopyButton, Group, SegmentedControl, Text, TextInput, Title } from "@mantine/core";
import { memo, useState } from "react";
import { PARTS } from "~/i18n/catalogues";
import { useWords } from "~/i18n/words";
import { IconCheck, IconCopy } from "~/parts/icons";
import { asked, type Fields } from "./fields";
import classes from "./playground.module.css";
import { curlOf, pythonOf } from "./snippets";
import { useBase } from "./useModels";
import { usePlayWords } from "./words";

/** The same call from elsewhere. */
export const Snippets = memo(function Snippets({ fields }: { fields: Fields }) {
  const t = usePlayWords();
  const parts = useWords(PARTS);
  const known = useBase();
  const [typed, setTyped] = useState<string>();
  const [kind, setKind] = useState("curl");
  const base = (typed ?? known).replace(/\/+$/, "");
  const body = asked(fields);
  if (typeof body === "string") return null;
  const text = (kind === "curl" ? curlOf : pythonOf)(base, fields.dialect, body);
  return (
    <section className={`tg-panel ${classes.panel}`} aria-labelledby="same">
      <Title order={2} id="same" mb="xs">
        {t("same")}
      </Title>
      <Group align="flex-end" justify="space-between" mb="xs">
        <TextInput
          size="xs"
          w={260}
          label={t("base")}
          value={typed ?? known}
          onChange={(event) => setTyped(event.target.value)}
        />
        <Group gap="xs">
          <SegmentedControl
            size="xs"
            aria-label={t("kind")}
            value={kind}
            onChange={setKind}
            data={[
              { value: "curl", label: "curl" },
              { value: "python", label: "Python" },
            ]}
          />
          <CopyButton value={text}>
            {({ copied, copy }) => (
              <Button
                size="xs"
                variant="default"
                leftSection={copied ? <IconCheck aria-hidden size={14} /> : <IconCopy aria-hidden size={14} />}
                onClick={copy}
              >
                {parts(copied ? "copied" : "copy")}
              </Button>
            )}
          </CopyButton>
        </Group>
      </Group>
      <pre className={classes.code}>{text}</pre>
      <Text size="xs" className="tg-soft" mt="xs">
        {t("key_note")}
      </Text>
    </section>
  );
});

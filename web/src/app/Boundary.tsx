import { Button, Code, Container, Stack, Text, Title } from "@mantine/core";
import { Component, type ReactNode } from "react";
import { SHELL } from "~/i18n/catalogues";
import { useWords } from "~/i18n/words";

/** Says that a page failed, where it would else be blank. */
export class Boundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state = { error: undefined as unknown };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render() {
    return this.state.error === undefined ? this.props.children : <Broken error={this.state.error} />;
  }
}

export function Broken({ error }: { error: unknown }) {
  const t = useWords(SHELL);
  return (
    <Container size="sm" py="xl" role="alert">
      <Stack align="flex-start">
        <Title order={1} size="h3">
          {t("broken")}
        </Title>
        <Text>{t("broken_text")}</Text>
        <Code block>{error instanceof Error ? `${error.name}: ${error.message}` : String(error)}</Code>
        <Button onClick={() => window.location.reload()}>{t("reload")}</Button>
      </Stack>
    </Container>
  );
}

import { Button, Group, Modal, Paper, Stack, Text, Title } from "@mantine/core";
import { useEffect } from "react";
import { signedOut } from "~/api/session";
import { Mark } from "~/app/Brand";
import { LangSwitch } from "~/app/LangSwitch";
import { SignInForm } from "./SignInForm";
import classes from "./signin.module.css";
import { useSignInWords } from "./words";

/** The whole page, for who has no session. The address stays, so that one lands where one wanted to go. */
export function SignIn() {
  const t = useSignInWords();
  useEffect(() => {
    document.title = `${t("title")} · Tidegate`;
  }, [t]);
  return (
    <main className={classes.ground}>
      <Paper className={`tg-panel ${classes.card}`} p="xl">
        <Stack gap="lg">
          <Group justify="space-between">
            <Mark size={40} />
            <LangSwitch />
          </Group>
          <div>
            <Title order={1} size="h2">
              Tidegate
            </Title>
            <Text className="tg-soft">{t("lead")}</Text>
          </div>
          <SignInForm />
        </Stack>
      </Paper>
    </main>
  );
}

/** Over a page whose session has ended; nothing that was typed is lost. */
export function SignInAgain({ opened }: { opened: boolean }) {
  const t = useSignInWords();
  return (
    <Modal
      opened={opened}
      onClose={() => undefined}
      withCloseButton={false}
      closeOnEscape={false}
      closeOnClickOutside={false}
      title={t("ended")}
      centered
    >
      <Stack>
        <Text size="sm">{t("ended_text")}</Text>
        <SignInForm />
        <Button variant="subtle" onClick={signedOut}>
          {t("leave")}
        </Button>
      </Stack>
    </Modal>
  );
}

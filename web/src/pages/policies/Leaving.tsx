import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useEffect } from "react";
import { useBlocker } from "react-router";
import { usePolicyWords } from "./words";

const HERE = "/policies";

/** Asks before changes are lost: within the control room by a question, out of it by the browser's own. */
export function Leaving({ changed }: { changed: boolean }) {
  const t = usePolicyWords();
  const blocker = useBlocker(({ nextLocation }) => changed && !nextLocation.pathname.startsWith(HERE));
  useEffect(() => {
    if (!changed) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [changed]);
  return (
    <Modal opened={blocker.state === "blocked"} onClose={() => blocker.reset?.()} title={t("leave_title")} centered>
      <Stack>
        <Text size="sm">{t("leave_text")}</Text>
        <Group justify="flex-end">
          <Button variant="default" data-autofocus onClick={() => blocker.reset?.()}>
            {t("stay")}
          </Button>
          <Button color="red.8" onClick={() => blocker.proceed?.()}>
            {t("leave")}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

import { Button, Group, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { post } from "~/api/client";
import { IconCheck, IconX } from "~/parts/icons";
import { Needs } from "~/parts/Needs";
import { Problem } from "~/parts/Problem";
import { useCallWords } from "../words";

/** Did what this call was served answer its question? The threshold of what means the same follows. */
export function Judge({ call }: { call: string }) {
  const t = useCallWords();
  const queries = useQueryClient();
  const { mutate, isPending, error, data } = useMutation({
    mutationFn: (right: boolean) =>
      post("/calls/{call}/feedback", { path: { call: call as unknown as number }, body: { right } }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["calls", "cache", call] }),
  });
  return (
    <div>
      <Text size="sm" mt="md" mb={6}>
        {t("judge")}
      </Text>
      <Group gap="xs">
        <Needs right="judge">
          <Button
            size="xs"
            variant="default"
            disabled={isPending}
            leftSection={<IconCheck aria-hidden size={15} />}
            onClick={() => mutate(true)}
          >
            {t("judge_right")}
          </Button>
        </Needs>
        <Needs right="judge">
          <Button
            size="xs"
            variant="default"
            disabled={isPending}
            leftSection={<IconX aria-hidden size={15} />}
            onClick={() => mutate(false)}
          >
            {t("judge_wrong")}
          </Button>
        </Needs>
        <span role="status" className="tg-soft">
          {data ? t(data.right ? "judged_right" : "judged_wrong") : ""}
        </span>
      </Group>
      <Problem error={error} />
    </div>
  );
}

import { Alert, Button, Stack, Text, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { post } from "~/api/client";
import { Confirm } from "~/parts/Confirm";
import { IconAlertTriangle } from "~/parts/icons";
import { Needs } from "~/parts/Needs";
import { isLast, type Provider, type Scope } from "./standing";
import { useAccountWords } from "./words";

interface Props {
  provider: Provider;
  scope: Scope;
  /** Left out: the whole account. */
  fingerprint?: string;
}

async function carryOut(props: Props, back: boolean, reason: string) {
  const path = { provider: props.provider.name, scope: props.scope.name };
  const body = { reason };
  if (props.fingerprint === undefined) {
    if (back) await post("/accounts/{provider}/{scope}/restore", { path });
    else await post("/accounts/{provider}/{scope}/drain", { path, body });
    return;
  }
  const of = { ...path, fingerprint: props.fingerprint };
  if (back) await post("/accounts/{provider}/{scope}/keys/{fingerprint}/restore", { path: of });
  else await post("/accounts/{provider}/{scope}/keys/{fingerprint}/drain", { path: of, body });
}

/** Takes an account or a key out of service, or back. */
export function Deed(props: Props) {
  const { provider, scope, fingerprint } = props;
  const t = useAccountWords();
  const queries = useQueryClient();
  const [asked, setAsked] = useState<"drain" | "restore">();
  const [reason, setReason] = useState("");
  const drained = fingerprint
    ? scope.keys.some((key) => key.fingerprint === fingerprint && key.drained)
    : Boolean(scope.drained);
  const deed = drained ? "restore" : "drain";
  const what = [provider.name, scope.name, fingerprint].filter(Boolean).join("/");
  const act = async () => {
    if (!asked) return;
    await carryOut(props, asked === "restore", reason.trim());
    setReason("");
    notifications.show({ message: t(`done_${asked}`, { what }) });
    await queries.invalidateQueries({ queryKey: ["accounts"] });
  };
  return (
    <>
      <Needs right="drain_accounts">
        <Button
          variant={fingerprint ? "subtle" : "default"}
          size="xs"
          {...(fingerprint ? { "aria-label": t(`${deed}_key`, { key: fingerprint }) } : {})}
          onClick={() => setAsked(deed)}
        >
          {t(deed)}
        </Button>
      </Needs>
      {asked ? (
        <Confirm
          opened
          title={t(`${asked}_title`, { what })}
          action={t(asked)}
          danger={asked === "drain"}
          onConfirm={act}
          onClose={() => setAsked(undefined)}
        >
          {asked === "drain" ? (
            <Stack gap="sm">
              <Text size="sm">{t("drain_text")}</Text>
              {isLast(provider, scope, fingerprint) ? (
                <Alert color="red" variant="light" icon={<IconAlertTriangle aria-hidden />}>
                  {t("drain_last")}
                </Alert>
              ) : null}
              <TextInput
                label={t("reason")}
                description={t("reason_hint")}
                maxLength={500}
                value={reason}
                onChange={(event) => setReason(event.target.value)}
              />
            </Stack>
          ) : (
            t("restore_text")
          )}
        </Confirm>
      ) : null}
    </>
  );
}

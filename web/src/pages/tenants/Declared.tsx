import { Alert, Anchor, Badge, Text } from "@mantine/core";
import { Link } from "react-router";
import { IconFileCode } from "~/parts/icons";
import { useMay } from "~/parts/Needs";
import { useTenantWords } from "./words";

/** Where it is declared, and so where it is changed. */
export function Declared({ by }: { by: "file" | "managed" }) {
  const t = useTenantWords();
  return (
    <Badge variant="light" radius="sm" tt="none" color={by === "file" ? "grape" : "gray"}>
      {t(by)}
    </Badge>
  );
}

/** Why it cannot be changed here, and where it can. */
export function InFile() {
  const t = useTenantWords();
  const may = useMay("see_policy");
  return (
    <Alert color="grape" variant="light" icon={<IconFileCode aria-hidden />}>
      <Text size="sm">
        {t("in_file")}{" "}
        {may ? (
          <Anchor component={Link} to="/policies" size="sm">
            {t("to_policies")}
          </Anchor>
        ) : null}{" "}
        {t("in_file_also")}
      </Text>
    </Alert>
  );
}

/** A name; beside it, where only the file changes what it names, that. */
export function Name({ of }: { of: { name: string; declared: "file" | "managed" } }) {
  return (
    <>
      <span title={of.name}>{of.name}</span> {of.declared === "file" ? <Declared by="file" /> : null}
    </>
  );
}
